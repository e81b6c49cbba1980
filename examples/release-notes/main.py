"""Release notes and the next version, from conventional commits (conventionalcommits.org)."""
from collections import Counter
from typing import Optional

from semver import Version

from commits import Commit, read_log

#: Kinds that users of a release care about, in the order of the notes.
SECTIONS = {"feat": "Features", "fix": "Fixes", "perf": "Performance", "revert": "Reverts", "docs": "Documentation"}
RAISING = {"feat": "minor", "fix": "patch", "perf": "patch", "revert": "patch"}


def handler(input: dict) -> dict:
    commits, others = read_log(input["log"])
    print(f"read {len(commits)} conventional commits, {len(others)} others")
    current = Version.parse(input["current_version"].removeprefix("v"))
    bump = bump_of(commits, current)
    following = current if bump == "none" else current.next_version(bump)
    print(f"{current} -> {following} ({bump})")
    return {
        "next_version": str(following),
        "bump": bump,
        "notes": notes_of(commits, str(following), input.get("date")),
        "counts": dict(Counter(commit.kind for commit in commits)),
        "unrecognised": others,
    }


def bump_of(commits: list[Commit], current: Version) -> str:
    """Before 1.0.0 a breaking change raises the minor part, as semver leaves open and most projects do."""
    if any(commit.breaking for commit in commits):
        return "minor" if current.major == 0 else "major"
    raised = {RAISING.get(commit.kind) for commit in commits}
    return "minor" if "minor" in raised else "patch" if "patch" in raised else "none"


def notes_of(commits: list[Commit], version: str, date: Optional[str]) -> str:
    lines = [f"## {version}" + (f" ({date})" if date else "")]
    breaking = [commit for commit in commits if commit.breaking]
    if breaking:
        lines += ["", "### Breaking changes", *(entry(commit, commit.breaking) for commit in breaking)]
    for kind, title in SECTIONS.items():
        found = [commit for commit in commits if commit.kind == kind]
        if found:
            lines += ["", f"### {title}", *(entry(commit, commit.text) for commit in found)]
    if len(lines) == 1:
        lines += ["", "No changes that users notice."]
    return "\n".join(lines) + "\n"


def entry(commit: Commit, text: str) -> str:
    scope = f"**{commit.scope}:** " if commit.scope else ""
    return f"- {scope}{text} ({commit.hash})"
