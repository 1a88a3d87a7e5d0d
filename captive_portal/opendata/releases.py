"""Months that have been published: each is frozen as it was first told, and every release is written down (PRI-08)."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path

from captive_portal.opendata.datasets import Row
from captive_portal.opendata.publication import Cell, Measured, published
from parvis.durable import append_text, write_whole

LOG = "releases.jsonl"


class NotYet(Exception):
    """The month is not over, or a site's figures are missing: nothing is published. Wait, or name the site."""


class Releases:
    """The frozen months in *folder*, a file each, and the log of releases."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def months(self) -> list[str]:
        """The months published so far, oldest first."""
        return sorted(path.stem for path in self._folder.glob("[0-9][0-9][0-9][0-9]-[0-9][0-9].json"))

    def freeze(self, month: str, measured: Mapping[str, Measured | None], today: date) -> bool:
        """Publish *month* unless that has been done; whether it was new.

        *measured* has every site of the town; None: its figures are lost, and its row stays empty for ever. NotYet
        when the month is not over. What was published before is never looked at again: figures that come late, or a
        site that is added, change nothing (PRI-05).
        """
        if month >= f"{today:%Y-%m}":
            raise NotYet(f"{month} is not over; a month is published whole, once")
        if month in self.months():
            return False
        shown = published({site: found for site, found in measured.items() if found is not None})
        rows = [_row(month, site, shown.get(site, Cell())) for site in sorted(measured)]
        text = json.dumps(rows, ensure_ascii=False, indent=1) + "\n"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._note(month, text, rows, today)
        write_whole(self._folder / f"{month}.json", text)
        return True

    def rows(self) -> list[Row]:
        """Every row published so far, by month and site."""
        found: list[Row] = []
        for month in self.months():
            found += json.loads((self._folder / f"{month}.json").read_text("utf-8"))
        return found

    def log(self) -> Iterator[dict[str, object]]:
        """Every release: which month, when, how many rows, how many held back, the SHA-256 of what was told."""
        path = self._folder / LOG
        if path.exists():
            yield from (json.loads(line) for line in path.read_text("utf-8").splitlines())

    def changed(self) -> list[str]:
        """Months whose file is not what was released."""
        told = {str(line["month"]): line["sha256"] for line in self.log()}
        files = {month: (self._folder / f"{month}.json").read_bytes() for month in self.months()}
        return [month for month, data in files.items() if told.get(month) != hashlib.sha256(data).hexdigest()]

    def _note(self, month: str, text: str, rows: list[Row], today: date) -> None:
        line = {
            "month": month,
            "released": today.isoformat(),
            "rows": len(rows),
            "held_back": sum(bool(row["secret"]) for row in rows),
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
        }
        append_text(self._folder / LOG, json.dumps(line) + "\n")


_NAMES = {
    "sessions": "sessions",
    "devices_a_day": "appareils_jour_moyen",
    "gigabytes_down": "volume_descendant_go",
    "gigabytes_up": "volume_montant_go",
    "median_minutes": "duree_mediane_min",
    "secret": "secret",
}


def _row(month: str, site: str, cell: Cell) -> Row:
    return {"mois": month, "id_site": site, **{_NAMES[key]: value for key, value in asdict(cell).items()}}
