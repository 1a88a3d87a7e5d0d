"""What the pages say about the town and the site: plain facts, handed over by the step that read the inventory."""

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal

from jinja2 import Environment

from captive_portal import urls

Language = Literal["fr", "en"]
LANGUAGES: tuple[Language, ...] = ("fr", "en")
"""French first: it prevails."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Titles and terms by language; *session* in seconds, rates in bits per second."""

    host: str
    town: dict[str, str]
    site: str
    title: dict[str, str]
    email: str
    phone: str
    timezone: str
    terms_version: str
    session: float
    rate_down: int
    rate_up: int

    @property
    def url(self) -> str:
        """The portal's first page."""
        return urls.page(self.host)


@dataclass(frozen=True, slots=True)
class Terms:
    """One version of the terms in one language, as shown, and its SHA-256."""

    html: str
    sha256: str


def versions() -> list[str]:
    """Every version of the terms there is a French text of, the archived ones included."""
    names = (entry.name for entry in (files("captive_portal") / "terms").iterdir())
    return sorted(name.removesuffix(".fr.html") for name in names if name.endswith(".fr.html"))


def terms(facts: Facts, version: str, language: Language) -> Terms:
    """The terms as *facts*' town shows them; FileNotFoundError for a version there is not."""
    text = (files("captive_portal") / "terms" / f"{version}.{language}.html").read_text("utf-8")
    html = (
        Environment(autoescape=True)
        .from_string(text)
        .render(
            town=facts.town[language],
            site=facts.title[language],
            email=facts.email,
            phone=facts.phone,
            hours=duration(facts.session),
            down=f"{facts.rate_down / 1e6:g}",
            up=f"{facts.rate_up / 1e6:g}",
        )
    )
    return Terms(html, hashlib.sha256(html.encode()).hexdigest())


def duration(seconds: float) -> str:
    """A duration as both languages write it.

    >>> duration(43200), duration(5400), duration(90), duration(20)
    ('12 h', '1 h 30 min', '1 min', '20 s')
    """
    minutes, hours = int(seconds) // 60, int(seconds) // 3600
    if not minutes:
        return f"{int(seconds)} s"
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
