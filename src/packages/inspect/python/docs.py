"""Docstrings: the first paragraph as a description, and a Google or NumPy style section of arguments."""

import ast
import re

ITEM = re.compile(r"^\*{0,2}(\w+)\s*(?:\(([^()]*)\))?\s*:\s*(.*)$")
SECTION = re.compile(r"^(Args|Arguments|Parameters|Params|Attributes|Keys|Fields|Input|Returns|Return|Yields|Raises|Examples?|Notes?)\s*:?\s*$")
INPUT_SECTIONS = {"Args", "Arguments", "Parameters", "Params", "Attributes", "Keys", "Fields", "Input"}


def description(*nodes):
    """The first paragraph of the first docstring there is, at most 1,024 characters, on one line."""
    for node in nodes:
        text = ast.get_docstring(node) if node is not None else None
        if not text:
            continue
        lines = []
        for line in text.strip().splitlines():
            if not line.strip() or (lines and SECTION.match(line.strip())):
                break
            lines.append(line.strip())
        if lines:
            return " ".join(lines)[:1024]
    return None


def arguments(node):
    """{name: what it is} of the sections that describe input or attributes; nested items of `input:` count as its keys."""
    text = ast.get_docstring(node) if node is not None else None
    found, section, last = {}, None, None
    for line in (text or "").splitlines():
        stripped = line.strip()
        heading = SECTION.match(stripped)
        if heading and not line.startswith(" "):
            section, last = heading.group(1), None
            continue
        if section not in INPUT_SECTIONS or not stripped or set(stripped) == {"-"}:
            continue
        item = ITEM.match(stripped.lstrip("-* "))
        if item and line.startswith((" ", "-", "*")):
            last = item.group(1)
            found[last] = item.group(3)
        elif last:
            found[last] = (found[last] + " " + stripped).strip()
    return {name: what[:1024] for name, what in found.items() if what}
