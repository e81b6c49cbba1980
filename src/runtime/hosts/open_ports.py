"""Opens a sandbox's way out, and becomes the program that the sandbox is for.

Runs first in sandboxes that have a network list, while it may still bind low ports: what it binds is sent to the server, over Node's own
channel between processes and in the form in which Node passes handles on. Then the channel is closed and every privilege is given
up for good, so that what follows can neither speak to the server's parser nor bind another low port.

Arguments: the channel's descriptor, the TCP ports with commas in between, `--`, the command. With `keep` instead of `--` the
privileges are kept: what follows is no program of the skill's but makes a kernel for it, which needs them.
"""

import _socket
import posix
import sys

DNS_PORT = 53
BACKLOG = 64
BUFFER = 128 * 1024
NET_BIND_SERVICE, SETPCAP = 10, 8
PR_CAPBSET_DROP, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 24, 47, 4
CAPABILITY_VERSION_3 = 0x20080522


def main(channel, ports, keep, command):
    channel = _socket.socket(fileno=channel)
    channel.setblocking(True)
    send(channel, "dgram.Native", DNS_PORT, opened(_socket.SOCK_DGRAM, "127.0.0.1", DNS_PORT))
    for port in ports:
        listener = opened(_socket.SOCK_STREAM, "0.0.0.0", port)
        # Connections inherit it. What waits in them outside is nobody's memory, and could be megabytes in each.
        for option in (_socket.SO_RCVBUF, _socket.SO_SNDBUF):
            listener.setsockopt(_socket.SOL_SOCKET, option, BUFFER)
        listener.listen(BACKLOG)
        send(channel, "net.Native", port, listener)
    channel.close()
    if not keep:
        drop_privileges()
    default_signals()
    posix.execv(command[0], command)


def opened(kind, address, port):
    made = _socket.socket(_socket.AF_INET, kind)
    made.bind((address, port))
    return made


def send(channel, kind, port, passed):
    """Waits for the answer: descriptors that nobody has taken yet are lost with the channel."""
    message = '{"cmd":"NODE_HANDLE","type":"%s","msg":{"port":%d}}\n' % (kind, port)
    descriptor = passed.fileno().to_bytes(4, sys.byteorder)
    channel.sendmsg([message.encode()], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, descriptor)])
    answer = b""
    while not answer.endswith(b"\n"):
        chunk = channel.recv(4096)
        if not chunk:
            raise SystemExit("The server took no socket.")
        answer += chunk
    if answer != b'{"cmd":"NODE_HANDLE_ACK"}\n':
        raise SystemExit("The server answered with something else than Node does to a handle: " + repr(answer[:200]))
    passed.close()


def drop_privileges():
    import _ctypes

    library = _ctypes.dlopen(None, 2)

    def call(name, *arguments):
        if _ctypes.call_function(_ctypes.dlsym(library, name), arguments) != 0:
            raise SystemExit(name + " was refused")

    call("prctl", PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    for capability in (NET_BIND_SERVICE, SETPCAP):
        call("prctl", PR_CAPBSET_DROP, capability, 0, 0, 0)
    call("capset", CAPABILITY_VERSION_3.to_bytes(4, sys.byteorder) + bytes(4), bytes(24))
    status = posix.open("/proc/self/status", posix.O_RDONLY)
    sets = [line.split() for line in posix.read(status, 65536).split(b"\n") if line.startswith(b"Cap")]
    posix.close(status)
    if len(sets) != 5 or any(int(bits, 16) for _, bits in sets):
        raise SystemExit("Its privileges were not given up: " + repr(sets))


def default_signals():
    """Python ignores these two; what follows would inherit that."""
    import _signal

    _signal.signal(_signal.SIGPIPE, _signal.SIG_DFL)
    _signal.signal(_signal.SIGXFSZ, _signal.SIG_DFL)


if __name__ == "__main__":
    _, channel, ports, mode, *command = sys.argv
    main(int(channel), [int(port) for port in ports.split(",")], mode == "keep", command)
