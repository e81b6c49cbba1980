"""Running the package managers, and the way from them to the package index."""

import os

from report import tool_failed

CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"


def run(name, argv, cwd, environment, result=None):
    """@param result File for what it prints to stdout. @raises Failed with what it printed."""
    import subprocess  # here and below: most builds need none of these, and have 100 ms

    env = {"PATH": "/usr/bin:/bin", "HOME": "/scratch/home", "TMPDIR": "/tmp", "LANG": "C.UTF-8", "NO_COLOR": "1", **environment}
    if os.path.exists(CERTIFICATES):
        env |= {"SSL_CERT_FILE": CERTIFICATES, "NODE_EXTRA_CA_CERTS": CERTIFICATES}
    with open("/scratch/tool-output", "wb") as output, open(result or os.devnull, "wb") as kept:
        out = kept if result else output
        status = subprocess.run(argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=output, check=False).returncode
    if status != 0:
        with open("/scratch/tool-output", "rb") as output:
            output.seek(max(0, os.path.getsize("/scratch/tool-output") - 65536))
            raise tool_failed(name, status, output.read().decode("utf-8", "replace"))


def protect():
    """From here on others run in this sandbox: they may not look into this process, nor write to what it writes to."""
    import ctypes

    ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE


def open_way_out(socket_path="/run/egress.sock"):
    """A port on the loopback that leads to the proxy outside; @returns its URL. It decides what may be reached."""
    import socket
    import threading

    server = socket.create_server(("127.0.0.1", 0), backlog=64)

    def accept():
        while True:
            client, _ = server.accept()
            outside = socket.socket(socket.AF_UNIX)
            try:
                outside.connect(socket_path)
            except OSError:
                client.close()
                outside.close()
                continue
            for source, target in ((client, outside), (outside, client)):
                threading.Thread(target=pump, args=(source, target), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return f"http://127.0.0.1:{server.getsockname()[1]}"


def pump(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(1)  # SHUT_WR
    except OSError:
        for end in (source, target):
            try:
                end.shutdown(2)  # SHUT_RDWR
            except OSError:
                pass
