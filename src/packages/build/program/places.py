"""Where things are: in a sandbox at its root. In development without one a folder stands for that."""

import os

ROOT = os.environ.get("SKILLET_ROOT", "")
PACKAGE = f"{ROOT}/package"
SCRATCH = f"{ROOT}/scratch"
OPT = f"{ROOT}/opt"
TMP = f"{ROOT}/tmp"
