"""A report as HTML (one file, opens anywhere), PDF and CSV."""

import csv
from datetime import datetime
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader

from monitor.sla.report import Report
from monitor.sla.words import sections, table_rows, title
from parvis.inventory import Town
from parvis.papers import harmless, pdf

FOOT = (
    "Disponibilité du contrat : seules comptent les coupures imputables à l'opérateur, gels déduits.",
    "Disponibilité vécue : toute coupure compte, quelle qu'en soit la cause. Les deux ne se mélangent pas.",
    "Ce qui n'a pas été mesuré n'est ni bon ni mauvais. Les pénalités sont une estimation, à vérifier sur le contrat.",
)


def written(report: Report, town: Town, folder: Path, zone: ZoneInfo) -> list[Path]:
    """Write the report into *folder* as HTML, PDF and CSV; OSError. Returns the three paths."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / f"sla-{report.site.uplink.name}-{report.month:%Y-%m}"
    texts = {
        ".html": as_html(report, town, zone).encode(),
        ".pdf": as_pdf(report, town, zone),
        ".csv": as_csv(report, zone).encode("utf-8-sig"),
    }
    paths = []
    for suffix, body in texts.items():
        path = stem.with_name(stem.name + suffix)
        path.write_bytes(body)
        paths.append(path)
    return paths


def as_html(report: Report, town: Town, zone: ZoneInfo) -> str:
    """One page, French, with its style inside."""
    found = Environment(loader=PackageLoader("monitor.sla", "."), autoescape=True).get_template("report.html")
    made = datetime.fromtimestamp(report.until, zone)
    facts = {"title": title(report), "town": town.title.fr, "made": f"{made:%d/%m/%Y %H:%M}", "foot": FOOT}
    return found.render(sections=sections(report, zone), **facts)


def as_pdf(report: Report, town: Town, zone: ZoneInfo) -> bytes:
    """The same on A4, wide."""
    tables = [(section.title, section.header, section.rows) for section in sections(report, zone)]
    return pdf(f"{town.title.fr} : {title(report)}", tables, FOOT, wide=True)


def as_csv(report: Report, zone: ZoneInfo) -> str:
    """Semicolons, as French spreadsheets read it; one table after the other."""
    out = StringIO()
    write = csv.writer(out, delimiter=";").writerow
    write((title(report),))
    for row in table_rows(sections(report, zone)):
        write([harmless(cell) for cell in row])
    return out.getvalue()
