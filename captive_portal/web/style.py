"""The pages' style: portal.css with a town's colours, a dark set of them for whoever prefers it."""

from collections.abc import Mapping
from importlib.resources import files

from parvis.colours import mix, readable

DEFAULT_LOOK = {"main": "#0b5c4d", "dark": "#084237", "paper": "#f4f1ea"}
INK, CARD = "#16302b", "#ffffff"
NIGHT_PAPER, NIGHT_CARD, NIGHT_INK = "#101614", "#19211e", "#edf2f0"
LOGO = (
    '<svg viewBox="0 0 32 32" aria-hidden="true" fill="none" stroke="#fff" stroke-width="2.4" stroke-linecap="round">'
    '<path d="M3 28h26M6 28V17a10 10 0 0 1 20 0v11M12 28v-9a4 4 0 0 1 8 0v9"/></svg>'
)
"""A gate, for a town that has delivered no logo of its own."""


def style(look: Mapping[str, str]) -> str:
    """The style sheet. *look*: the colours ``main``, ``dark``, ``paper``; all others are derived, and can be read.

    >>> style({"main": "#0b5c4d", "dark": "#084237", "paper": "#f4f1ea"}).startswith(":root{--main:#0b5c4d;")
    True
    """
    day = {
        "main": look["main"],
        "on": "#ffffff",
        "dark": look["dark"],
        "paper": look["paper"],
        "card": CARD,
        "ink": INK,
        "soft": readable("#5b716b", (look["paper"], CARD)),
        "line": mix(look["paper"], "#16302b", 0.16),
        "warn": "#b3390c",
        "focus": "#d98200",
    }
    night = {
        "main": readable(mix(look["main"], "#ffffff", 0.4), (NIGHT_PAPER, NIGHT_CARD)),
        "on": NIGHT_PAPER,
        "paper": NIGHT_PAPER,
        "card": NIGHT_CARD,
        "ink": NIGHT_INK,
        "soft": "#a9bbb5",
        "line": "#3a4843",
        "warn": "#f0885b",
        "focus": "#ffb54a",
    }
    sheet = (files("captive_portal") / "web/portal.css").read_text("utf-8").strip()
    by_night = f"@media (prefers-color-scheme:dark){{:root{{color-scheme:dark;{_listed(night)}}}}}"
    return f":root{{{_listed(day)}}}{by_night}{sheet}"


def _listed(colours: Mapping[str, str]) -> str:
    return ";".join(f"--{name}:{colour}" for name, colour in colours.items())
