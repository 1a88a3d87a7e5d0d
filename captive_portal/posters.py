"""``parvis posters``: for each site an A4 page for the wall (PDF), with the way to the notice (CGU-04)."""

from pathlib import Path
from typing import Any

import click

from captive_portal import urls
from captive_portal.page_facts import page_facts
from captive_portal.typography import spaced
from captive_portal.web.facts import Facts
from captive_portal.web.wording import period
from parvis.inventory import DEMO_TOWN, InventoryError, Town, load
from parvis.kept import kept_seconds
from parvis.settings import SettingsError

GREEN, INK = (11, 92, 77), (22, 48, 43)
WIDTH, MARGIN, CODE = 210, 18, 62
"""Millimetres; the code is large enough to be read from two metres."""
FRENCH = (
    "Choisissez ce réseau, acceptez les conditions : vous êtes en ligne. Sans compte ni mot de passe.",
    "Ni contenu ni site visité n'est enregistré.",
    "Les données techniques que la loi impose de conserver (CPCE, art. L. 34-1) le sont {kept}.",
    "La liaison radio n'est pas chiffrée : préférez les sites en https ou un VPN.",
    "Vos droits : accès, rectification, limitation, opposition : {dpo}. Réclamation : CNIL, www.cnil.fr.",
    "La notice complète, lisible sans accepter : {address}",
)
ENGLISH = (
    "Choose this network, accept the terms: you are online. No account, no password.",
    "No content and no visited site is recorded. Technical data are kept because the law says so: {kept_en}.",
    "The radio link is not encrypted: prefer https or a VPN. Your rights: {dpo}; complaints: CNIL, www.cnil.fr.",
)


def poster(facts: Facts) -> bytes:
    """The poster of a site, PDF; readable by the built-in fonts, tagged with language and title."""
    from fpdf import FPDF  # noqa: PLC0415 for posters only

    page = FPDF(format="A4")
    page.set_lang("fr")
    page.set_title(f"Wi-Fi public gratuit - {latin(facts.title['fr'])}")
    page.set_margins(MARGIN, MARGIN)
    page.set_auto_page_break(False)
    page.add_page()
    _head(page, facts)
    kept = kept_seconds("source-log")
    said = {"dpo": facts.dpo, "address": notice_of(facts), "kept": period(kept, "fr"), "kept_en": period(kept, "en")}
    for texts, size, style in ((FRENCH, 12, ""), (ENGLISH, 10, "I")):
        page.set_font("Helvetica", style=style, size=size)
        for text in texts:
            page.multi_cell(0, size * 0.5, latin(text.format(**said)), new_x="LMARGIN", new_y="NEXT")
            page.ln(1.5)
        page.ln(1)
    _code(page, notice_of(facts))
    page.set_font("Helvetica", size=10)
    contact = f"{facts.town['fr']} - {facts.email} - {facts.phone}"
    page.cell(0, 6, latin(contact), align="C", new_x="LMARGIN", new_y="NEXT")
    return bytes(page.output())


def notice_of(facts: Facts) -> str:
    """The address of the notice on personal data, which anybody may read."""
    return f"{urls.page(facts.host)}donnees"


def _head(page: Any, facts: Facts) -> None:
    """The pictogram, what this is, where, and the name to choose."""
    page.set_text_color(*INK)
    _waves(page, WIDTH / 2, 42)
    page.set_y(48)
    for text, size in (("Wi-Fi public gratuit", 30), ("Free public Wi-Fi", 16), (facts.title["fr"], 18)):
        page.set_font("Helvetica", style="B" if size > 16 else "I", size=size)  # noqa: PLR2004 the English line
        page.multi_cell(0, size * 0.5, latin(text), align="C", new_x="LMARGIN", new_y="NEXT")
    page.ln(3)
    if facts.network_name:
        page.set_fill_color(*GREEN)
        page.set_text_color(255, 255, 255)
        page.set_font("Helvetica", style="B", size=24)
        page.cell(0, 16, latin(facts.network_name), align="C", fill=True, new_x="LMARGIN", new_y="NEXT")
        page.set_text_color(*INK)
    page.ln(4)


def _waves(page: Any, x: float, y: float) -> None:
    """Three arcs over a point: the sign for Wi-Fi that loi Abeille wants at the entrance."""
    page.set_draw_color(*GREEN)
    page.set_line_width(2.2)
    for radius in (8, 15, 22):
        page.arc(x - radius, y - radius, radius * 2, 225, 315, radius * 2)
    page.set_fill_color(*GREEN)
    page.ellipse(x - 2, y - 3, 4, 4, style="F")


def _code(page: Any, address: str) -> None:
    """The address as a QR code of filled squares, which stays sharp at any size."""
    import segno  # noqa: PLC0415 for posters only

    rows = list(segno.make(address, micro=False, error="m").matrix_iter(border=4))
    side = CODE / len(rows)
    left, top = (WIDTH - CODE) / 2, page.get_y()
    page.set_fill_color(0, 0, 0)
    for line, row in enumerate(rows):
        for column, dark in enumerate(row):
            if dark:
                page.rect(left + column * side, top + line * side, side, side, style="F")
    page.set_y(top + CODE + 1)


def latin(text: str) -> str:
    r"""The built-in fonts hold Latin-1, in which there is one space that does not break.

    >>> latin("l\u2019accueil \u2013 caf\u00e9 ; où ?")
    "l'accueil - café\xa0; où\xa0?"
    """
    plain = spaced(text).replace("\u202f", "\xa0").replace("\u2019", "'").replace("\u2013", "-").replace("\u0153", "oe")
    return plain.encode("latin-1", "replace").decode("latin-1")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.argument("town", type=click.Path(path_type=Path, file_okay=False), envvar="PARVIS_TOWN", default=DEMO_TOWN)
@click.option("--site", "only", metavar="NAME", help="Only this site's.")
def posters(folder: Path, town: Path, only: str | None) -> None:
    """Write an A4 poster of each site of TOWN into FOLDER, NAME.pdf: network, terms in short, QR code to the notice."""
    try:
        found: Town = load(town)
        sites = [found.site(only)] if only else list(found.sites)
        made = {site.site: poster(page_facts(found, site)) for site in sites}
    except (InventoryError, SettingsError) as error:
        raise click.ClickException(str(error)) from error
    except KeyError as error:
        raise click.ClickException(str(error.args[0])) from error
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in made.items():
        (folder / f"{name}.pdf").write_bytes(data)
    click.echo(f"{folder}: {len(made)} poster(s)")
