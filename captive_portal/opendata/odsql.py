"""``where``, ``select``, ``group_by`` and ``order_by`` of the Explore API v2.1, over rows in memory. No I/O.

Bad queries raise Malformed with words for whoever asked. Nothing a query says is ever run: it is compared.
"""

import operator
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from importlib.resources import files
from math import asin, cos, radians, sin, sqrt
from statistics import fmean
from typing import Any

from lark import Lark, Transformer
from lark.exceptions import LarkError, VisitError

from captive_portal.opendata.datasets import Row

EARTH_METRES = 6_371_009.0
METRES = {"m": 1.0, "km": 1000.0, "mi": 1609.344}
LONGEST = 2000
"""Characters of a query."""
Test = Callable[[Row], bool]
_ORDERED = {"=": operator.eq, ":": operator.eq, "!=": operator.ne, ">": operator.gt, "<": operator.lt}
_ORDERED |= {">=": operator.ge, "<=": operator.le}


class Malformed(ValueError):
    """The query is not one, or names a field that is not there."""


def where(text: str, fields: Sequence[str]) -> Test:
    """The rows that *text* asks for.

    >>> asked = where("nombre >= 3 and not etat = 'Partiel'", ["nombre", "etat"])
    >>> asked({"nombre": 3, "etat": None}), asked({"nombre": 3, "etat": "Partiel"}), asked({"nombre": None, "etat": ""})
    (True, False, False)
    """
    if len(text) > LONGEST:
        raise Malformed(f"a query has at most {LONGEST} characters")
    try:
        made: Test = _Tests(fields).transform(_grammar().parse(text))
    except VisitError as error:
        raise Malformed(str(error.orig_exc)) from error
    except (LarkError, RecursionError) as error:
        raise Malformed(f"ODSQL query is malformed: {str(error).splitlines()[0]}") from error
    return made


@cache
def _grammar() -> Lark:
    return Lark((files("captive_portal") / "opendata/odsql.lark").read_text("utf-8"), parser="lalr")


class _Tests(Transformer[Any, Test]):
    """Each rule of the grammar as a test of a row; a value that is not there passes no comparison."""

    def __init__(self, fields: Sequence[str]) -> None:
        super().__init__()
        self._fields = fields

    def field(self, found: list[Any]) -> str:
        return known(str(found[0]), self._fields)

    def string(self, found: list[Any]) -> str:
        return re.sub(r"\\(.)", r"\1", str(found[0])[1:-1])

    def value(self, found: list[Any]) -> Any:
        return found[0]

    text = value

    def number(self, found: list[Any]) -> float:
        return float(found[0])

    def boolean(self, found: list[Any]) -> bool:
        return str(found[0]).lower() == "true"

    def or_(self, tests: list[Test]) -> Test:
        return lambda row: any(test(row) for test in tests)

    def and_(self, tests: list[Test]) -> Test:
        return lambda row: all(test(row) for test in tests)

    def no(self, tests: list[Test]) -> Test:
        return lambda row: not tests[0](row)

    def compares(self, found: list[Any]) -> Test:
        name, sign, value = found
        return lambda row: _compared(row[name], _ORDERED[str(sign)], value)

    def within(self, found: list[Any]) -> Test:
        name, *values = found
        return lambda row: any(_compared(row[name], operator.eq, value) for value in values)

    def like(self, found: list[Any]) -> Test:
        name, pattern = found
        wanted = re.compile(".*".join(map(re.escape, folded(pattern).split("*"))))
        return lambda row: row[name] is not None and wanted.search(folded(str(row[name]))) is not None

    def is_null(self, found: list[Any]) -> Test:
        return lambda row: row[found[0]] is None

    def is_not_null(self, found: list[Any]) -> Test:
        return lambda row: row[found[0]] is not None

    def is_true(self, found: list[Any]) -> Test:
        return lambda row: row[found[0]] is True

    def near(self, found: list[Any]) -> Test:
        name, shape, length, unit = found
        point = re.fullmatch(r"POINT\s*\(\s*(-?[0-9.]+)\s+(-?[0-9.]+)\s*\)", shape, re.IGNORECASE)
        if point is None:
            raise Malformed("a place is written geom'POINT(longitude latitude)'")
        here, limit = (float(point[2]), float(point[1])), float(length) * METRES[str(unit)]
        return lambda row: isinstance(row[name], tuple) and metres(row[name], here) <= limit

    def starts(self, found: list[Any]) -> Test:
        name, text = found
        return lambda row: row[name] is not None and str(row[name]).startswith(text)

    def searches(self, found: list[Any]) -> Test:
        *names, text = found
        return lambda row: _has(row, names, text)

    def anywhere(self, found: list[Any]) -> Test:
        return lambda row: _has(row, self._fields, found[0])


def _compared(value: Any, sign: Callable[[Any, Any], Any], other: Any) -> bool:
    alike = isinstance(value, str) == isinstance(other, str) and isinstance(value, bool) == isinstance(other, bool)
    return value is not None and not isinstance(value, tuple) and alike and bool(sign(value, other))


def _has(row: Row, names: Sequence[str], text: str) -> bool:
    """Every word of *text*, in any of the fields; case and accents do not matter."""
    said = folded(" ".join(str(row[name]) for name in names if row[name] is not None))
    return all(word in said for word in folded(text).split())


def folded(text: str) -> str:
    """Without case and accents.

    >>> folded("Opérationnel")
    'operationnel'
    """
    return "".join(c for c in unicodedata.normalize("NFD", text.casefold()) if not unicodedata.combining(c))


def metres(one: tuple[float, float], other: tuple[float, float]) -> float:
    """The great-circle distance between two (latitude, longitude).

    >>> round(metres((48.79, 2.33), (48.80, 2.33)))
    1112
    """
    (lat1, lon1), (lat2, lon2) = (tuple(map(radians, place)) for place in (one, other))
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_METRES * asin(sqrt(half))


def known(name: str, fields: Sequence[str]) -> str:
    """*name* when it is a field; Malformed."""
    if name not in fields:
        raise Malformed(f"Unknown field: {name}")
    return name


_COLUMN = re.compile(
    r"(?:(?P<call>count|sum|avg|min|max)\((?P<of>\*|\w+)\)|(?P<name>\w+|\*))(?:\s+as\s+(?P<as>\w+))?", re.IGNORECASE
)
_AGGREGATES: Mapping[str, Callable[[list[Any]], Any]] = {"sum": sum, "avg": fmean, "min": min, "max": max}
Pick = Callable[[Sequence[Row]], Any]


def select(text: str, fields: Sequence[str]) -> tuple[dict[str, Pick], bool]:
    """What each result has, by name, made of the rows it stands for; and whether they are counted together."""
    picks: dict[str, Pick] = {}
    together = False
    for part in (part.strip() for part in text.split(",")):
        found = _COLUMN.fullmatch(part)
        if found is None:
            raise Malformed(f"select is not understood at {part!r}")
        if found["call"]:
            call, of = found["call"].lower(), found["of"]
            together = True
            picks[found["as"] or f"{call}({of})"] = _aggregate(call, of, fields)
        else:
            for name in fields if found["name"] == "*" else [known(found["name"], fields)]:
                picks[found["as"] or name] = partial(_first, name)
    return picks, together


def _first(name: str, rows: Sequence[Row]) -> Any:
    return rows[0][name] if rows else None


def _aggregate(call: str, of: str, fields: Sequence[str]) -> Pick:
    if of == "*":
        if call != "count":
            raise Malformed(f"{call} wants a field")
        return len
    known(of, fields)

    def made(rows: Sequence[Row]) -> Any:
        values = [row[of] for row in rows if row[of] is not None]
        if call == "count":
            return len(values)
        try:
            return _AGGREGATES[call](values) if values else None
        except TypeError as error:
            raise Malformed(f"{call}({of}) wants numbers") from error

    return made


def grouped(rows: Sequence[Row], by: Sequence[str]) -> list[list[Row]]:
    """The rows with the same values of *by* together, in the order they are met."""
    found: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(row[name] for name in by), []).append(row)
    return list(found.values())


def ordered(results: Sequence[Row], text: str) -> list[Row]:
    """*results* by ``field``, ``field desc``, several with commas; what is not there comes last."""
    found = list(results)
    for part in reversed([part.split() for part in text.split(",")]):
        if not part or len(part) > 2 or part[1:] not in ([], ["asc"], ["desc"], ["ASC"], ["DESC"]):  # noqa: PLR2004
            raise Malformed(f"order_by is not understood at {' '.join(part)!r}")
        name, down = part[0], part[1:] in (["desc"], ["DESC"])
        if found and name not in found[0]:
            raise Malformed(f"Unknown field: {name}")
        there = [one for one in found if one[name] is not None]
        there.sort(key=lambda one: str(one[name]) if isinstance(one[name], tuple) else one[name], reverse=down)
        found = there + [one for one in found if one[name] is None]
    return found
