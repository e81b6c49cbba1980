"""What a build has to fetch."""

from dataclasses import dataclass, field


@dataclass
class Plan:
    needs: list = field(default_factory=list)
    refused: bool = False
    # What the package manager is given: vetted, so nothing in it leads elsewhere.
    text: str = ""
    locked: bool = False
