"""The page "What peers taught us": what must hold, beside the names of the tests that prove each line."""

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "docs/15-what-peers-taught-us.md"
NOT_YET = "not yet: "
"""How the stand of a line begins that is owed."""


@dataclass(frozen=True, eq=False)
class Room:
    """A part of Parvis: its lines are in *file*; *counts*: what its ids begin with -> how many there are."""

    title: str
    file: str
    counts: dict[str, int]
    words: str

    def ids(self) -> list[str]:
        """Every id, in the order of the file.

        >>> Room("", "", {"F": 1, "CGU": 2}, "").ids()
        ['F01', 'CGU-01', 'CGU-02']
        """
        return [_id(area, f"{n:02}") for area, count in self.counts.items() for n in range(1, count + 1)]


def _id(area: str, number: str) -> str:
    return f"{area}-{number}" if len(area) > 1 else area + number


ROOMS = (
    Room(
        "The door",
        "peers.yml",
        {"F": 60, "R": 63},
        "Six other captive portals were read: what they can do became 60 features, how they failed became 63 rules.",
    ),
    Room(
        "The ears",
        "peers_ears.yml",
        {"S": 55, "G": 35},
        "Six programs that watch networks were read: they made 55 features, and what users complain of became\n"
        "35 rules.",
    ),
    Room(
        "Personal data and open data",
        "peers_law_data.yml",
        {"CGU": 14, "GDP": 5, "PRI": 8, "ODA": 9},
        "What the law, the CNIL's advice and the standards of the field ask of the terms, of personal data,\n"
        "of figures and of open data.",
    ),
    Room(
        "Evidence",
        "peers_law_retention.yml",
        {"RET": 14, "REQ": 7},
        "What the law makes a town keep, for how long, and who may read it.",
    ),
    Room(
        "Links and their contracts",
        "peers_law_links.yml",
        {"FIB": 7},
        "What a town needs to hold its operators to what they promised.",
    ),
    Room(
        "Astreinte",
        "peers_law_oncall.yml",
        {"AST": 8},
        "What the law and good practice ask of a town that has people on call.",
    ),
    Room(
        "Machines",
        "peers_security.yml",
        {"SEC": 19},
        "What the guides of ANSSI (GNU/Linux, OpenSSH, TLS, logs, administration) and of the CNIL ask of machines.",
    ),
)
_AREAS = "|".join(area.lower() for room in ROOMS for area in room.counts)
_NAMED = re.compile(rf"^ *(?:async )?def (test_((?:(?:{_AREAS})\d\d_)+)\w+)", re.MULTILINE)
_ID = re.compile(r"([a-z]+)(\d\d)_")


@cache
def rows(room: Room = ROOMS[0]) -> dict[str, Any]:
    """``features`` and ``rules`` (a file may have none) by id.

    Each line is a mapping with *holds*, and where it has one *level* and *stand*.
    """
    read: dict[str, dict[str, Any]] = yaml.safe_load((TESTS / room.file).read_text("utf-8"))
    return {
        kind: {one: {"holds": row} if isinstance(row, str) else row for one, row in read.get(kind, {}).items()}
        for kind in ("features", "rules")
    }


@cache
def proofs() -> dict[str, list[tuple[str, str]]]:
    """Per id, upper case: (file in tests/, name) of each test that carries it in its name."""
    found: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for path in sorted(TESTS.rglob("test_*.py")):
        for name, ids in _NAMED.findall(path.read_text("utf-8")):
            for area, number in _ID.findall(ids):
                found[_id(area.upper(), number)].append((str(path.relative_to(TESTS)), name))
    return dict(found)


def wants_a_test(room: Room = ROOMS[0]) -> set[str]:
    """Ids of every must, every should, and every rule."""
    lines = rows(room)
    return {one for one, row in lines["features"].items() if row["level"] in {"must", "should"}} | set(lines["rules"])


def owed(room: Room) -> set[str]:
    """Ids of the lines that are not built yet, and say so."""
    lines = rows(room)
    return {
        one for kind in lines.values() for one, row in kind.items() if str(row.get("stand", "")).startswith(NOT_YET)
    }


def page() -> str:
    """The page, Markdown."""
    lines = [
        "# 15. What peers taught us",
        "",
        "<!-- Written by script/docs from tests/peers*.yml and the names of the tests; change it there. -->",
        "",
        "Each line says what must hold here, and names the tests that prove it. A test carries the ids it proves in",
        "its name (`test_f09_…`, `test_cgu03_…`).",
    ]
    for room in ROOMS:
        lines += ["", f"## {room.title}", "", room.words, "", *_features(room)]
        lines += ["", *_rules(room)] if rows(room)["rules"] else []
    return "\n".join(lines) + "\n"


def _features(room: Room) -> list[str]:
    lines = ["| id | what must hold | our stand | tests |", "|---|---|---|---|"]
    for one, row in rows(room)["features"].items():
        stand = row["level"] + (f": {row['stand']}" if "stand" in row else "")
        lines.append(f"| {one} | {row['holds']} | {stand} | {_named(one)} |")
    return lines


def _rules(room: Room) -> list[str]:
    lines = ["| id | rule | tests |", "|---|---|---|"]
    for one, row in rows(room)["rules"].items():
        lines.append(f"| {one} | {row['holds']} | {row.get('stand', '')}{_named(one)} |")
    return lines


def _named(one: str) -> str:
    return "<br>".join(f"`{file}::{name}`" for file, name in proofs().get(one, []))
