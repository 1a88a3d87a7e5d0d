"""The page "What peers taught us": tests/peers.yml beside the names of the tests that prove each line."""

import re
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import yaml

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "docs/15-what-peers-taught-us.md"
_NAMED = re.compile(r"^ *(?:async )?def (test_((?:[fr]\d\d_)+)\w+)", re.MULTILINE)


@cache
def rows() -> dict[str, Any]:
    """``features`` and ``rules`` by id."""
    found: dict[str, Any] = yaml.safe_load((TESTS / "peers.yml").read_text("utf-8"))
    return found


@cache
def proofs() -> dict[str, list[tuple[str, str]]]:
    """Per id, upper case: (file in tests/, name) of each test that carries it in its name."""
    found: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for path in sorted(TESTS.rglob("test_*.py")):
        for name, ids in _NAMED.findall(path.read_text("utf-8")):
            for one in ids.strip("_").split("_"):
                found[one.upper()].append((str(path.relative_to(TESTS)), name))
    return dict(found)


def wants_a_test() -> set[str]:
    """Ids of every must, every should, and every rule."""
    return {one for one, row in rows()["features"].items() if row["level"] in {"must", "should"}} | set(rows()["rules"])


def page() -> str:
    """The page, Markdown."""
    lines = [
        "# 15. What peers taught us",
        "",
        "<!-- Written by script/docs from tests/peers.yml and the names of the tests; change it there. -->",
        "",
        "Six other captive portals were read: what they can do became 60 features, how they failed became 63 rules.",
        "Each line says what must hold here, and names the tests that prove it. A test carries the ids it proves in",
        "its name (`test_f09_…`, `test_r27_…`).",
        "",
        "## Features",
        "",
        "| id | what must hold | our stand | tests |",
        "|---|---|---|---|",
    ]
    for one, row in rows()["features"].items():
        stand = row["level"] + (f": {row['stand']}" if "stand" in row else "")
        lines.append(f"| {one} | {row['holds']} | {stand} | {_named(one)} |")
    lines += ["", "## Rules", "", "| id | what must hold | tests |", "|---|---|---|"]
    lines += [f"| {one} | {holds} | {_named(one)} |" for one, holds in rows()["rules"].items()]
    return "\n".join(lines) + "\n"


def _named(one: str) -> str:
    return "<br>".join(f"`{file}::{name}`" for file, name in proofs().get(one, []))
