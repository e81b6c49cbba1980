"""Running the package managers."""

import os

from places import SCRATCH, TMP
from report import tool_failed

# Given where there is a network: what the machine trusts.
CERTIFICATES = ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS")


def run(name, argv, cwd, environment, result=None):
    """@param result File for what it prints to stdout. @raises Failed with what it printed."""
    import subprocess  # here and below: most builds need none of these, and have 100 ms

    env = {"PATH": "/usr/bin:/bin", "HOME": f"{SCRATCH}/home", "TMPDIR": TMP, "LANG": "C.UTF-8", "NO_COLOR": "1", **environment}
    env |= {name: os.environ[name] for name in CERTIFICATES if name in os.environ}
    with open(f"{SCRATCH}/tool-output", "wb") as output, open(result or os.devnull, "wb") as kept:
        out = kept if result else output
        status = subprocess.run(argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=output, check=False).returncode
    if status != 0:
        with open(f"{SCRATCH}/tool-output", "rb") as output:
            output.seek(max(0, os.path.getsize(f"{SCRATCH}/tool-output") - 65536))
            raise tool_failed(name, status, output.read().decode("utf-8", "replace"))


def protect():
    """From here on others run in this sandbox: they may not look into this process, nor write to what it writes to."""
    import ctypes

    ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE
