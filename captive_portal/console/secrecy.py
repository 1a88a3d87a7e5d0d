"""The duty of secrecy: every agent reads it once, says so, and sees nothing before (CPCE D.98-5 I; REQ-06)."""

import json
import threading
from datetime import UTC, datetime
from pathlib import Path

from flask import redirect, render_template, url_for
from werkzeug.wrappers import Response

from captive_portal.console.deeds import write
from captive_portal.console.hall import hall, visitor
from parvis.durable import write_whole
from parvis.locked import locked

VERSION = "1"
"""Of the text in secrecy.html; another one is read again by everybody."""
DID = "secrecy-notice"

Answer = Response | str


class Acknowledgements:
    """Who has read which version, and when; a file only the console reads. For any number of threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def read_by(self, who: str) -> bool:
        """Whether *who* has read the present version."""
        return self._all().get(who, {}).get("version") == VERSION

    def note(self, who: str, at: float) -> None:
        """*who* has read it *at* (Unix seconds); on disk when this returns. OSError."""
        with self._lock, locked(self._path.parent):
            known = self._all()
            known[who] = {"version": VERSION, "at": datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")}
            write_whole(self._path, json.dumps(known, indent=1), 0o600)

    def _all(self) -> dict[str, dict[str, str]]:
        try:
            found: dict[str, dict[str, str]] = json.loads(self._path.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        return found


def read_by_visitor() -> bool:
    """Whether who is signed in has read the notice; asked of the disk once a visit."""
    here = visitor()
    here.knows_secrecy = here.knows_secrecy or hall().acknowledged.read_by(here.who)
    return here.knows_secrecy


def secrecy() -> Answer:
    """The notice, and the button that says it is read."""
    return render_template("secrecy.html", version=VERSION)


def acknowledge() -> Answer:
    """Write down that it is read, and lead to the pages."""
    here = visitor()
    write(DID, about=f"version {VERSION}")
    hall().acknowledged.note(here.who, hall().wall())
    return redirect(url_for("overview"), 303)
