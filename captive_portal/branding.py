"""What a town's folder portal/ changes on the pages: logo, wording, terms, audit. Every fault is located, in words."""

import re
from collections.abc import Iterator
from datetime import date
from importlib.resources import files
from xml.etree import ElementTree as ET

from captive_portal.accessibility import BadAudit, outdated, parse
from captive_portal.web.facts import Texts
from captive_portal.web.terms import NAME
from parvis.inventory import Fault, Town, yaml_lines
from parvis.inventory.checks import suggestion
from parvis.languages import LANGUAGES

MAX_LOGO_BYTES = 4000
MAX_LOGO_SHAPES = 12
"""The first page has 14 kB and 150 elements in all."""
SVG = "{http://www.w3.org/2000/svg}"
SHAPES = {"svg", "g", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "title"}
ATTRIBUTE = re.compile(
    r"(viewBox|d|x|y|x1|y1|x2|y2|cx|cy|r|rx|ry|points|width|height|transform|opacity|fill|fill-rule"
    r"|stroke|stroke-width|stroke-linecap|stroke-linejoin|stroke-miterlimit|id|role|aria-hidden)"
)
SLOTS = re.compile(r"%\((\w+)\)s")


class BadLogo(ValueError):
    """The logo cannot stand on the page; says why."""


def logo(text: str) -> str:
    """The logo as it stands on the page: decoration beside the town's name. BadLogo says what to change.

    >>> logo('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1"/></svg>')
    '<svg viewBox="0 0 1 1" aria-hidden="true"><path d="M0 0h1" /></svg>'
    """
    if len(text.encode()) > MAX_LOGO_BYTES:
        raise BadLogo(f"{len(text.encode())} bytes is too large; simplify it to {MAX_LOGO_BYTES}")
    if "<!" in text.replace("<!--", "") or "<?" in text.replace("<?xml ", ""):
        raise BadLogo("has a DOCTYPE or other instructions; save it as plain SVG")
    try:
        root = ET.fromstring(text)  # noqa: S314 small, and without entities: both are checked above
    except ET.ParseError as error:
        raise BadLogo(f"is not XML: {error}") from error
    shapes = list(root.iter())
    if root.tag != f"{SVG}svg" or "viewBox" not in root.attrib:
        raise BadLogo("is no SVG with a viewBox")
    if len(shapes) > MAX_LOGO_SHAPES:
        raise BadLogo(f"has {len(shapes)} elements; join its paths, {MAX_LOGO_SHAPES} are enough")
    for shape in shapes:
        _plain(shape)
    for key in ("width", "height", "role"):
        root.attrib.pop(key, None)
    root.set("aria-hidden", "true")
    return ET.tostring(root, encoding="unicode").strip()


def _plain(shape: ET.Element) -> None:
    """Only shapes, only their geometry and colours: nothing that runs, loads or styles."""
    name = shape.tag.removeprefix(SVG)
    if not shape.tag.startswith(SVG) or name not in SHAPES:
        raise BadLogo(f"has an element {name}; only {', '.join(sorted(SHAPES))} are shown")
    for key, value in shape.attrib.items():
        if not ATTRIBUTE.fullmatch(key) or "url(" in value:
            raise BadLogo(f"has an attribute {key} on {name} that pages refuse; save it as plain SVG")
    shape.tag = name


def wording(text: str) -> tuple[dict[str, Texts], list[Fault]]:
    """The town's own texts: French as our pages have it -> language -> text; and what is wrong with them."""
    document, faults = yaml_lines.parse(text, "portal/texts.yml")
    if document is None:
        return {}, faults
    known = said()
    for message, texts in (document.data or {}).items():
        if message not in known:
            faults.append(document.fault((message,), "no page says this", suggestion(message, known)))
        elif not isinstance(texts, dict) or not set(texts) <= set(LANGUAGES):
            faults.append(document.fault((message,), "is not a text", "write {fr: …, en: …}"))
        else:
            faults += [
                document.fault((message, language), "has not the same %(…)s", f"keep {SLOTS.findall(message)}")
                for language, words in texts.items()
                if sorted(SLOTS.findall(str(words))) != sorted(SLOTS.findall(message))
            ]
    return ({} if faults else dict(document.data or {})), faults


def said() -> set[str]:
    """Every text of the pages, in French."""
    from babel.messages.pofile import read_po  # noqa: PLC0415 only who has texts of his own needs it

    with (files("captive_portal") / "web/translations/en/LC_MESSAGES/messages.po").open("rb") as source:
        return {str(message.id) for message in read_po(source) if message.id}


def own_terms(town: Town) -> dict[str, str]:
    """``2.1.0.fr`` -> text."""
    names = {name: name.removeprefix("terms/").removesuffix(".html") for name in town.portal_files}
    return {names[name]: text for name, text in town.portal_files.items() if name.startswith("terms/")}


def faults(town: Town) -> list[Fault]:
    """What is wrong in the town's folder portal/."""
    return list(_faults(town))


def _faults(town: Town) -> Iterator[Fault]:
    own = town.portal_files
    for name in own:
        if name not in {"logo.svg", "texts.yml", "audit.json"} and not name.startswith("terms/"):
            yield Fault(
                f"portal/{name}", 1, "", "is not used", suggestion(name, ["logo.svg", "texts.yml", "audit.json"])
            )
    if "logo.svg" in own:
        try:
            logo(own["logo.svg"])
        except BadLogo as error:
            yield Fault("portal/logo.svg", 1, "", str(error))
    if "texts.yml" in own:
        yield from wording(own["texts.yml"])[1]
    if "audit.json" in own:
        yield from _audit(own["audit.json"])
    for name in own_terms(town):
        if not NAME.fullmatch(name):
            yield Fault(f"portal/terms/{name}.html", 1, "", "has no version and language", "call it 2.1.0.fr.html")


def _audit(text: str) -> Iterator[Fault]:
    try:
        why = outdated(parse(text), date.today())  # noqa: DTZ011 a day is precise enough
    except BadAudit as error:
        yield Fault("portal/audit.json", 1, "", str(error))
        return
    if why:
        yield Fault("portal/audit.json", 1, "date", why, "have it audited again, or remove the file: not compliant")
