import type { ScaffoldMaker } from './scaffold.ts'

/** A Python function whose schemas come from its type hints. */
export const pythonScaffold: ScaffoldMaker = (name) => ({
  'skill.yaml': `name: ${name}
description: Finds the longest and the average line of a text. Use it to check texts against a line limit.
version: 1.0.0
`,
  'main.py': `from typing import TypedDict


class Required(TypedDict):
    text: str


class Input(Required, total=False):
    limit: int


class Output(TypedDict):
    lines: int
    longest: int
    average: float
    over_limit: list[int]


def handler(input: Input) -> Output:
    """Finds the longest and the average line of a text."""
    limit = input.get("limit", 100)
    lengths = [len(line) for line in input["text"].splitlines()]
    print(f"measured {len(lengths)} lines")
    return {
        "lines": len(lengths),
        "longest": max(lengths, default=0),
        "average": round(sum(lengths) / len(lengths), 1) if lengths else 0.0,
        "over_limit": [number for number, length in enumerate(lengths, start=1) if length > limit],
    }
`,
  'requirements.txt': '# One dependency a line, with its exact version: name==1.2.3\n',
  'sample-input.json': '{ "text": "A short line.\\nA line that is somewhat longer.\\n", "limit": 20 }\n',
})
