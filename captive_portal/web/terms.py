"""The terms of use: every version ever in force, ours and the town's own, as shown, with their digests."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

from jinja2 import TemplateError
from jinja2.sandbox import SandboxedEnvironment

from captive_portal.typography import spaced
from captive_portal.web.facts import Facts
from captive_portal.web.wording import duration, mbits, plain, size
from parvis.languages import Language

CLAUSES = tuple(f"cgu-{number}" for number in range(1, 17))
"""What terms must say, a block each: law-privacy-accessibility, CGU content 1 to 16."""
NAME = re.compile(r"(\d+\.\d+\.\d+)\.([a-z]{2})")


@dataclass(frozen=True, slots=True)
class Terms:
    """One version of the terms as shown, in *language* (French where there is no other), and its SHA-256."""

    html: str
    sha256: str
    language: Language


def ours() -> dict[str, str]:
    """``1.0.0.fr`` -> text, of the versions that come with Parvis."""
    found = (entry for entry in (files("captive_portal") / "terms").iterdir() if entry.name.endswith(".html"))
    return {entry.name.removesuffix(".html"): entry.read_text("utf-8") for entry in found}


def versions(own: Mapping[str, str]) -> list[str]:
    """Every version there is a French text of, newest first; *own* are the town's."""
    found = (NAME.fullmatch(name) for name in {*ours(), *own})
    return sorted({m[1] for m in found if m and m[2] == "fr"}, key=_number, reverse=True)


def terms(facts: Facts, version: str, language: Language) -> Terms:
    """The terms as *facts*' town shows them; KeyError for a version there is not."""
    texts = ours() | facts.own_terms
    shown: Language = language if f"{version}.{language}" in texts else "fr"
    html = render(texts[f"{version}.{shown}"], facts, shown)
    return Terms(html, hashlib.sha256(html.encode()).hexdigest(), shown)


def render(text: str, facts: Facts, language: Language) -> str:
    """*text* with the facts in it; jinja2's TemplateError when it asks for what there is not."""
    said = {
        "town": plain(facts.town, language),
        "site": plain(facts.title, language),
        "email": facts.email,
        "phone": facts.phone,
        "siret": facts.legal["siret"] if facts.legal else "",
        "hours": duration(facts.session, language),
        "closing": facts.keeps_hours,
        "down": mbits(facts.rate_down, language),
        "up": mbits(facts.rate_up, language),
        "quota": size(facts.quota, language) if facts.quota else "",
        "devices": facts.max_devices or "",
        "notice": f"/{language}/donnees",
    }
    return spaced(SandboxedEnvironment(autoescape=True).from_string(text).render(said))


def wrong_with(text: str, facts: Facts, language: Language) -> str:
    """What is wrong with a town's own text, in words; empty when nothing is."""
    try:
        html = render(text, facts, language)
    except TemplateError as error:
        return f"is no template we can fill: {error}"
    missing = [clause for clause in CLAUSES if f'id="{clause}"' not in html]
    return f"lacks the clauses {', '.join(missing)}" if missing else ""


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
