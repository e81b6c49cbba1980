"""What the build says, and how a failed tool's output becomes one finding."""

import json
import re
import sys

from places import PACKAGE, SCRATCH


class Failed(Exception):
    def __init__(self, rule, message, file=None, line=None):
        super().__init__(message)
        self.rule = rule
        self.message = message
        self.file = file
        self.line = line


def emit(value):
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def finding(rule, message, file=None, line=None):
    emit({"finding": {"rule": rule, "message": message[-2500:] if len(message) > 2500 else message, "file": file, "line": line}})


# First match wins. What the tools print in these cases; anything else is `build.failed`.
SIGNS = [
    ("build.disk_full", ("No space left on device", "ENOSPC", "os error 28", "Disk quota exceeded")),
    ("build.hash_mismatch", ("Hash mismatch", "hash mismatch", "EINTEGRITY", "integrity checksum failed")),
    ("build.index_unreachable", ("tunnel error", "tunneling socket could not be established", "ECONNREFUSED", "ENOTFOUND", "ETIMEDOUT",
                                 "EAI_AGAIN", "ECONNRESET", "client error (Connect)", "operation timed out", "error sending request")),
    ("build.dependency_not_found", ("was not found in the package registry", "there are no versions of", "there is no version of", "only the following versions of",
                                    "not found in the provided package locations", "E404", "ETARGET", "has no wheels with a matching", "was not found in the cache")),
    ("build.dependency_conflict", ("No solution found", "ERESOLVE", "are incompatible", "conflicting")),
    ("build.lock_out_of_step", ("can only install packages when your package.json and package-lock.json", "EUSAGE", "all requirements must have their versions pinned",
                                "In `--require-hashes` mode")),
]  # fmt: skip


def tool_failed(tool, status, output):
    """@returns Failed, with the last useful lines of what the tool printed."""
    if status < 0 and -status == 9:
        return Failed("build.memory", f"{tool} was killed; it probably needed too much memory")
    rule = next((rule for rule, signs in SIGNS if any(sign in output for sign in signs)), "build.failed")
    return Failed(rule, f"{tool} failed: {useful(output)}")


def useful(output, lines=40):
    text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", output).replace(f"{PACKAGE}/", "").replace(f"{SCRATCH}/app/", "").replace(f"{SCRATCH}/", "")
    kept = [line.rstrip() for line in text.splitlines() if line.strip() and not NOISE.match(line)]
    return "\n".join(kept[-lines:])[-4000:] or "it printed nothing"


NOISE = re.compile(r"\s*(?:npm (?:verbose|silly|http|notice)\b|npm error A complete log|Using Python |Resolved \d+ packages|hint: `?--|warning: The `)")
