"""requirements.txt, vetted: names and versions from the index, nothing that leads to another place."""

import re

from plan import Plan
from report import finding

NAME = re.compile(r"^([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[[A-Za-z0-9._,\s-]*\])?\s*(.*)$")
HASH = re.compile(r"\s--hash[= ](\w+:[0-9a-fA-F]+)")
OPTIONS = re.compile(r"^(-[A-Za-z-]+)")
FILE = "requirements.txt"


def read(text):
    plan, lines = Plan(), []
    plan.locked = True
    for number, line in logical_lines(text):
        wrong = check(line, number, plan)
        if wrong:
            plan.refused = True
            finding(wrong[0], wrong[1], FILE, number)
        elif not line.startswith("-"):
            hashes = HASH.findall(line)
            requirement = HASH.sub("", line).strip()
            plan.locked = plan.locked and bool(hashes) and "==" in requirement
            plan.needs.append(NAME.match(requirement).group(1))
            lines.append(" ".join([requirement, *(f"--hash={one}" for one in hashes)]))
    plan.text = "\n".join(lines) + "\n"
    plan.locked = plan.locked and bool(lines)
    return plan


def check(line, number, plan):
    if line.startswith("-"):
        option = OPTIONS.match(line)
        return None if line == "--require-hashes" else ("build.index_option", f'The option "{(option.group(1) if option else line)[:40]}" is not taken from a package')
    rest = HASH.sub("", line)
    if "://" in rest or re.match(r"^(?:\.|/|~|git\+|file:)", rest) or re.search(r"\.(?:whl|zip|tar\.gz|tgz)\s*(?:;|$)", rest):
        return "build.direct_url", f'"{line[:120]}" leads to another place than the package index'
    name = NAME.match(rest.strip())
    if not name or name.group(2).startswith("@"):
        return ("build.direct_url" if "@" in rest else "build.requirement", f'"{line[:120]}" is not a requirement with a name and versions')
    if re.search(r"\s--?[a-z]", rest) or not re.fullmatch(r"[\x20-\x7e]*", rest):
        return "build.requirement", f'"{line[:120]}" carries an option or an unusual character'
    return None


def logical_lines(text):
    """(line number, text) without comments, with continued lines joined."""
    waiting, start = "", 0
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        start = start or number
        line = re.sub(r"(^|\s)#.*$", "", line)
        if line.endswith("\\"):
            waiting += line[:-1] + " "
            continue
        joined = (waiting + line).strip()
        if joined:
            yield start, joined
        waiting, start = "", 0
    if waiting.strip():
        yield start, waiting.strip()
