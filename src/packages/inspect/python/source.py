"""Files of the package, and Python source read the way the interpreter would, without running it."""

import ast
import os
import re
import warnings

MAX_FILE = 4 * 2**20
MAX_SOURCE = 1 * 2**20
CODING = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")


class Unreadable:
    def __init__(self, rule, line, message):
        self.rule = rule
        self.line = line
        self.message = message


def walk(package):
    paths = []
    for folder, folders, files in os.walk(package):
        folders.sort()
        for name in files:
            paths.append(os.path.relpath(os.path.join(folder, name), package))
    return sorted(paths)


def read(package, path):
    """The bytes of a file; None when there are too many of them for code, empty for large data files."""
    full = os.path.join(package, path)
    if os.path.islink(full) or not os.path.isfile(full):
        return b""
    if os.path.getsize(full) > MAX_FILE:
        return None if path.endswith((".py", ".js", ".mjs", ".cjs", ".ts", ".mts")) else b""
    with open(full, "rb") as file:
        return file.read()


def parse(data):
    """A module's tree, or an `Unreadable` that says why there is none."""
    if len(data) > MAX_SOURCE:
        return Unreadable("python.unreadable", 0, f"The source is {len(data)} bytes long; 1 MB is read at most")
    if b"\0" in data:
        return Unreadable("python.unreadable", data[: data.index(b"\0")].count(b"\n") + 1, "The source holds a NUL byte")
    unusual = unusual_encoding(data)
    if unusual:
        return Unreadable("python.unreadable", 1, f'The source declares the encoding "{unusual}"; only UTF-8 is read')
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(data)
    except SyntaxError as error:
        return Unreadable("python.syntax", error.lineno or 0, f"Python cannot parse this: {error.msg}")
    except ValueError as error:  # also UnicodeDecodeError
        return Unreadable("python.unreadable", 0, f"Python cannot read this: {error}")


def unusual_encoding(data):
    """An encoding other than UTF-8 can make the interpreter see other code than people do."""
    for line in data.split(b"\n")[:2]:
        found = CODING.match(line.removeprefix(b"\xef\xbb\xbf"))
        if found:
            name = found.group(1).decode("ascii", "replace").lower().replace("_", "-")
            return None if name in ("utf-8", "utf8", "ascii", "us-ascii", "utf-8-sig") else name
    return None
