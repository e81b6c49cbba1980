"""Reads commits out of a git log."""
import re
from typing import NamedTuple, Optional

HEADER = re.compile(r"^(?P<kind>[a-zA-Z]+)(?:\((?P<scope>[^()]*)\))?(?P<bang>!)?: +(?P<text>\S.*)$")
BREAKING = re.compile(r"^BREAKING[ -]CHANGE: +(.+)$", re.MULTILINE)
LONG = re.compile(r"^commit ([0-9a-f]{7,64})\b")
ONELINE = re.compile(r"^([0-9a-f]{7,64}) (?:\([^)]*\) )?(\S.*)$")


class Commit(NamedTuple):
    hash: str
    kind: str
    scope: Optional[str]
    text: str
    #: What breaks, if anything does.
    breaking: Optional[str]


def read_log(log: str) -> tuple[list[Commit], list[str]]:
    """All conventional commits, and the subjects of the others."""
    commits, others = [], []
    for commit_hash, subject, body in split(log):
        header = HEADER.match(subject)
        if header is None:
            others.append(subject)
            continue
        footer = BREAKING.search(body)
        breaking = footer.group(1) if footer else header["text"] if header["bang"] else None
        commits.append(Commit(commit_hash[:7], header["kind"].lower(), header["scope"], header["text"], breaking))
    return commits, others


def split(log: str):
    """Yields (hash, subject, body), for the long form of git log and for --oneline."""
    if not any(LONG.match(line) for line in log.splitlines()):
        for line in log.splitlines():
            found = ONELINE.match(line.strip())
            if found:
                yield found[1], found[2], ""
        return
    for part in re.split(r"^(?=commit [0-9a-f]{7,64}\b)", log, flags=re.MULTILINE):
        found = LONG.match(part)
        if found is None:
            continue
        # Headers, a blank line, the message indented by four spaces.
        message = [line[4:].rstrip() for line in part.partition("\n\n")[2].rstrip().splitlines()]
        # The subject goes on until the first blank line.
        end = next((i for i, line in enumerate(message) if line == ""), len(message))
        yield found[1], " ".join(message[:end]), "\n".join(message[end:]).strip()
