"""Tries to get out of the sandbox, in every way that an operator's mistake may have left open, and prints what came of it.

Each probe answers with None when it was held back and with a text that says what it could do when it was not.
"""

import _ctypes
import _socket
import json
import os
import sys

LIBC = _ctypes.dlopen(None, 2)


def libc(name, *arguments):
    return _ctypes.call_function(_ctypes.dlsym(LIBC, name), arguments)


def main(given):
    node = start_node()
    results = {}
    for name, probe in PROBES.items():
        try:
            results[name] = probe(given)
        except Exception as error:
            results[name] = f"the probe itself failed: {error!r}"
    status = dict(line.split(":\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\t" in line)
    facts = {
        "python": sys.version.split()[0],
        "node": finish_node(node),
        "seccomp": status.get("Seccomp"),
        "host_uid": int(open("/proc/self/uid_map").read().split()[1]),
        "descriptors": descriptors(),
    }
    print(json.dumps({"escapes": results, "facts": facts}))


def look_up(given):
    """Where the names are found, in a sandbox with a network list."""
    found = {}
    for name in given["names"]:
        try:
            found[name] = _socket.gethostbyname(name)
        except OSError:
            found[name] = None
    print(json.dumps({"names": found, "privileges": privileges(given)}))


def start_node():
    reader, writer = os.pipe()
    actions = [(os.POSIX_SPAWN_DUP2, writer, 1)]
    try:
        pid = os.posix_spawn("/opt/skillet/node", ["node", "--version"], {}, file_actions=actions)
    except OSError:
        pid = None
    os.close(writer)
    return pid, reader


def finish_node(started):
    pid, reader = started
    if pid is None:
        return None
    os.waitpid(pid, 0)
    version = os.read(reader, 100).decode().strip() or None
    os.close(reader)
    return version


def descriptors():
    """What was passed on besides the sandbox's own pipes."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink("/proc/self/fd/" + name)
        except OSError:
            continue
        if int(name) > 4 and not target.startswith("/proc/"):
            found.append(target)
    return found


def privileges(given):
    status = open("/proc/self/status").read()
    for line in ("Seccomp:\t2", "NoNewPrivs:\t1", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000"):
        shown = line.split(":")[0] + ":\t" in status
        if line + "\n" not in status and (shown or not own_kernel(given)):
            return f"its privileges are not as they should be: no {line.split(':')[0]} of {line.split()[1]}"
    if not own_kernel(given) and open("/proc/self/uid_map").read().split()[1] == "0":
        return "it runs as root of the host"


def own_kernel(given):
    """Not that of the host: its users are none of the host's, and what it does not tell of itself was left out of it."""
    return given.get("kernel") == "own"


def kernel_settings(given):
    # Opened, never written: being able to is enough to know.
    return can_open(["/proc/sys/kernel/core_pattern", "/proc/sys/vm/swappiness", "/proc/sys/kernel/hostname", "/proc/sysrq-trigger"])


def writable_system(given):
    for folder in ("/", "/dev", "/usr", "/etc", "/opt/skillet", "/run", "/proc"):
        try:
            os.close(os.open(folder.rstrip("/") + "/probe", os.O_CREAT | os.O_WRONLY | os.O_EXCL))
            return f"it could write to {folder}"
        except OSError:
            pass


def host_files(given):
    for path in ["/etc/shadow", "/root", "/home", "/var/lib", *given["paths"]]:
        if os.path.lexists(path):
            return f"it could see {path}"


def host_processes(given):
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    if len(pids) > 10 or os.path.exists(f"/proc/{given['pid']}/exe") and given["pid"] > 50:
        return f"it could see {len(pids)} processes"


def launcher_environment(given):
    if os.getpid() == 1:
        return None
    try:
        text = open("/proc/1/environ").read().replace("\0", " ").strip()
    except OSError:
        return None
    if text not in ("", "PWD=/"):
        return f"it could read {len(text)} characters of the launcher's environment"


def launcher_memory(given):
    if os.getpid() == 1:
        return None
    try:
        os.close(os.open("/proc/1/mem", os.O_RDWR))
    except OSError:
        return None
    return "it could write to the memory of the process that it should die with"


def network(given):
    names = [line.split(":")[0].strip() for line in open("/proc/net/dev").read().splitlines()[2:]]
    if names != ["lo"]:
        return f"it has the network interfaces {', '.join(names)}"
    for address in (("169.254.169.254", 80), ("192.0.2.1", 443), ("127.0.0.1", given["port"])):
        if connects(_socket.AF_INET, address):
            return f"it could connect to {address[0]}:{address[1]}"
    if connects(_socket.AF_UNIX, "\0" + given["abstract"]):
        return "it could connect to a unix socket of the host"


def connects(family, address):
    probe = _socket.socket(family, _socket.SOCK_STREAM)
    probe.settimeout(0.2)
    try:
        probe.connect(address)
        return True
    except OSError:
        return False
    finally:
        probe.close()


def socket_families(given):
    for name, family in (("NETLINK", 16), ("PACKET", 17), ("ALG", 38), ("VSOCK", 40)):
        for kind in (_socket.SOCK_STREAM, _socket.SOCK_RAW, 5):
            try:
                _socket.socket(family, kind).close()
                return f"it could make an AF_{name} socket"
            except OSError:
                pass


def namespaces(given):
    if libc("unshare", 0x10000000) == 0:
        return "it could make a user namespace of its own"
    if libc("unshare", 0x00020000) == 0:
        return "it could make a mount namespace of its own"


def kernel_calls(given):
    if libc("ptrace", 0, 0, 0, 0) == 0:
        return "it could trace processes"
    if libc("chroot", b"/") == 0:
        return "it could change its root"
    if libc("mount", b"none", b"/tmp", b"tmpfs", 0, None) == 0:
        return "it could mount"


def can_open(paths):
    for path in paths:
        try:
            os.close(os.open(path, os.O_WRONLY))
            return f"it could open {path} for writing"
        except OSError:
            pass


PROBES = {
    "privileges": privileges,
    "kernel settings": kernel_settings,
    "system files": writable_system,
    "host files": host_files,
    "host processes": host_processes,
    "launcher environment": launcher_environment,
    "launcher memory": launcher_memory,
    "network": network,
    "socket families": socket_families,
    "namespaces": namespaces,
    "kernel calls": kernel_calls,
}

if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    if "names" in given:
        look_up(given)
    else:
        main(given)
