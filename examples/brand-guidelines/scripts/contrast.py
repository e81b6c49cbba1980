#!/usr/bin/env python3
"""Checks colour pairs against WCAG 2.2. Reads {"pairs": [...]} or {"palette": {...}} on stdin, prints one line of JSON."""
import itertools
import json
import re
import sys

HEX = re.compile(r"#?([0-9a-fA-F]{6}|[0-9a-fA-F]{3})")


def main() -> None:
    try:
        pairs = read_pairs(json.load(sys.stdin))
        results = [check(pair) for pair in pairs]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        sys.exit(f"contrast.py: {type(error).__name__}: {error}. See SKILL.md for the form of the input.")
    failed = sum(not result["aa"] for result in results)
    print(json.dumps({"checked": len(results), "failed": failed, "results": results}))


def read_pairs(request: dict) -> list:
    if "pairs" in request:
        return request["pairs"]
    names = itertools.permutations(request["palette"].items(), 2)
    return [{"name": f"{a} on {b}", "text": text, "background": ground} for (a, text), (b, ground) in names]


def check(pair: dict) -> dict:
    text, background = parse(pair["text"]), parse(pair["background"])
    large = bool(pair.get("large", False))
    ratio = contrast(text, background)
    need = 3.0 if large else 4.5
    result = {
        "name": pair.get("name", f"{pair['text']} on {pair['background']}"),
        # Rounded down: 4.49 must not look like 4.5.
        "ratio": int(ratio * 100) / 100,
        "aa": ratio >= need,
        "aaa": ratio >= (4.5 if large else 7.0),
    }
    if ratio < need:
        result["suggestion"] = nearest(text, background, need)
    return result


def parse(colour: str) -> tuple:
    found = HEX.fullmatch(colour.strip())
    if found is None:
        raise ValueError(f'"{colour}" is not a colour of the form #rrggbb')
    digits = found[1] if len(found[1]) == 6 else "".join(digit * 2 for digit in found[1])
    return tuple(int(digits[i : i + 2], 16) for i in (0, 2, 4))


def luminance(colour: tuple) -> float:
    """Relative luminance, WCAG 2.2."""

    def linear(channel: int) -> float:
        share = channel / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = map(linear, colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: tuple, other: tuple) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def nearest(text: tuple, background: tuple, need: float) -> str:
    """The least mix with black or white that meets the ratio. One of the two always does: their ratios multiply to 21."""
    for percent in range(1, 101):
        for target in (0, 255):
            mixed = tuple(round(channel + (target - channel) * percent / 100) for channel in text)
            if contrast(mixed, background) >= need:
                return "#{:02x}{:02x}{:02x}".format(*mixed)
    raise ValueError(f"nothing reaches {need}:1 on this background")


if __name__ == "__main__":
    main()
