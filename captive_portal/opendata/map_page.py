"""The map of the hotspots, drawn here: HTML and SVG, nobody's tiles, no script, and the same as a list."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import cos, radians
from typing import Literal

from babel.support import Translations
from jinja2 import Environment, PackageLoader, StrictUndefined

from captive_portal.opendata.datasets import LICENCE, LICENCE_URL, SITES, Row
from captive_portal.web.hours import lines

Language = Literal["fr", "en"]
WIDTH, HEIGHT, MARGIN = 640, 420, 56
METRES_A_DEGREE = 111_320.0
"""Of latitude; of longitude, times the cosine of the latitude."""
LENGTHS = (50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000)
"""Metres that a scale may show."""
PAGES: dict[Language, str] = {"fr": "index.html", "en": "index.en.html"}
STATES_IN_ENGLISH = {
    "Opérationnel": "Working",
    "Partiel": "Partly working",
    "Indisponible": "Not available",
    "En maintenance": "Under maintenance",
    "Fermé (horaires)": "Closed at this hour",
}
KINDS = {"Opérationnel": "ok", "Fermé (horaires)": "shut"}
"""How a state is drawn; any other is off. A place that is closed for the night is not out of order."""
ACCESS_IN_ENGLISH = {"intérieur": "indoors", "extérieur": "outdoors", "intérieur et extérieur": "indoors and outdoors"}


@dataclass(frozen=True, slots=True)
class Point:
    """A site on the map: its number in the list and its place in the picture."""

    number: int
    row: Row
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Scale:
    """So many *metres* are *pixels* wide."""

    metres: int
    pixels: float


def drawn(rows: Sequence[Row]) -> tuple[list[Point], Scale]:
    """Every site that has a place, north up, the whole town in the picture; the same length in both directions."""
    placed = [(number, row, *row["geo_point_2d"]) for number, row in enumerate(rows, 1) if row["geo_point_2d"]]
    latitudes, longitudes = [one[2] for one in placed] or [0.0], [one[3] for one in placed] or [0.0]
    middle_lat, middle_lon = (min(latitudes) + max(latitudes)) / 2, (min(longitudes) + max(longitudes)) / 2
    east = METRES_A_DEGREE * cos(radians(middle_lat))
    wide, high = (max(longitudes) - min(longitudes)) * east, (max(latitudes) - min(latitudes)) * METRES_A_DEGREE
    pixels = min((WIDTH - 2 * MARGIN) / max(wide, 200.0), (HEIGHT - 2 * MARGIN) / max(high, 200.0))
    points = [
        Point(
            number,
            row,
            round(WIDTH / 2 + (longitude - middle_lon) * east * pixels, 1),
            round(HEIGHT / 2 - (latitude - middle_lat) * METRES_A_DEGREE * pixels, 1),
        )
        for number, row, latitude, longitude in placed
    ]
    metres = max((length for length in LENGTHS if length * pixels <= WIDTH / 4), default=LENGTHS[0])
    return points, Scale(metres, round(metres * pixels, 1))


def page(rows: Sequence[Row], town: str, contact: str, updated: str, language: Language) -> str:
    """The whole page. *updated*: the day of the data, ISO 8601."""
    points, scale = drawn(rows)
    return (
        _templates()
        .get_template(f"map.{language}.html")
        .render(
            rows=list(enumerate(rows, 1)),
            points=points,
            kind=_kind,
            framed=any(_kind(point.row["etat"]) == "off" for point in points),
            scale=scale,
            width=WIDTH,
            height=HEIGHT,
            town=town,
            contact=contact,
            updated=updated,
            licence=LICENCE,
            licence_url=LICENCE_URL,
            dataset=SITES,
            states=STATES_IN_ENGLISH,
            accesses=ACCESS_IN_ENGLISH,
            hours=lambda said: lines(said, language, _gettext(language)),
        )
    )


def _kind(state: str | None) -> str:
    """ok, shut or off; what nobody measures is not said to be off."""
    return "ok" if state is None else KINDS.get(state, "off")


@cache
def _gettext(language: Language) -> Callable[[str], str]:
    """The words of opening hours, from the pages' own catalogue."""
    if language == "fr":
        return str
    folder = str(files("captive_portal") / "web/translations")
    return Translations.load(folder, [language]).gettext


@cache
def _templates() -> Environment:
    loader = PackageLoader("captive_portal", "opendata/templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
