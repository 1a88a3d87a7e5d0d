"""Colours and their contrast, by the formulas of WCAG 2.1 (relative luminance, contrast ratio)."""

from collections.abc import Iterable

TEXT_RATIO = 4.5
"""WCAG 2.1 criterion 1.4.3 (AA), RGAA 3.2: text against what is behind it."""
_STEPS = 100


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours ``#rrggbb``, from 1 (the same) to 21.

    >>> contrast("#000000", "#ffffff"), round(contrast("#777777", "#ffffff"), 2)
    (21.0, 4.48)
    """
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def readable(colour: str, behind: Iterable[str], ratio: float = TEXT_RATIO) -> str:
    """The colour nearest to *colour*, towards black or else white, that stands out by *ratio* from all *behind*.

    >>> readable("#0b5c4d", ["#ffffff"]), readable("#7fb3a8", ["#ffffff"]), readable("#0b5c4d", ["#101815"])
    ('#0b5c4d', '#597d76', '#4f8a7f')
    """
    grounds = list(behind)
    for goal in ("#000000", "#ffffff"):
        for step in range(_STEPS + 1):
            mixed = mix(colour, goal, step / _STEPS)
            if all(contrast(mixed, ground) >= ratio for ground in grounds):
                return mixed
    return "#000000"


def mix(one: str, other: str, share: float) -> str:
    """*one* with *share* (0 to 1) of *other*.

    >>> mix("#000000", "#ffffff", 0.5)
    '#808080'
    """
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in zip(_parts(one), _parts(other), strict=True))


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(part / 255) for part in _parts(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    """IEC 61966-2-1, with the threshold as WCAG writes it."""
    result: float = part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4  # noqa: PLR2004
    return result
