"""Builds a package's bundle. Runs inside a sandbox: `python3 -I -S <this folder>`, the package read-only at /package.

stdin: the task. stdout: one JSON object a line: {"finding"}, {"needs"}, {"lock"}, {"end"}. File descriptor 3: the bundle, a tar.
Without a way to the package index it only says what it `needs`, or, when that is nothing, makes the bundle at once.
"""

import errno
import json
import os
import sys

import bundle
import node_build
import python_build
from places import PACKAGE, SCRATCH
from report import Failed, emit, finding


def main():
    task = json.load(sys.stdin)
    os.makedirs(f"{SCRATCH}/out/.skillet", exist_ok=True)
    os.makedirs(f"{SCRATCH}/home", exist_ok=True)
    build = node_build if task["format"] == "typescript" else python_build
    plan = build.plan(task)
    if plan.refused:
        return
    if plan.needs and not task.get("online"):
        emit({"needs": {"kind": build.KIND, "names": plan.needs[:50]}})
        return
    build.run(task, plan)
    bundle.write(PACKAGE, f"{SCRATCH}/out")
    emit({"end": True})


try:
    main()
except Failed as failure:
    finding(failure.rule, failure.message, failure.file, failure.line)
except OSError as error:
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        finding("build.failed", f"The build broke off: {error.strerror}")
    else:
        finding("build.disk_full", "The disk of the build is full")
except MemoryError:
    finding("build.memory", "The build needs too much memory")
