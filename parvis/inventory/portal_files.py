"""The folders of a town that hold texts of a room: ``portal/`` (logo, terms), ``rota/`` and ``events/`` (calendars).

Read as text here; the room that uses them judges.
"""

from pathlib import Path

from parvis.inventory.yaml_lines import Fault

SUFFIXES = {"portal": (".svg", ".yml", ".html", ".json"), "rota": (".ics",), "events": (".ics",)}
FOLDERS = tuple(SUFFIXES)
MAX_BYTES = 60_000
"""Of one file: the longest terms have 10,000."""
MAX_FILES = 100


def texts(folder: Path, faults: list[Fault]) -> dict[str, str]:
    """Path below *folder* (``portal``, ``rota``, ``events``) -> content; an empty dict when there is none.

    What cannot be read is added to *faults*.
    """
    found: dict[str, str] = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file())[:MAX_FILES]:
        name = path.relative_to(folder).as_posix()
        text = _text(path, f"{folder.name}/{name}", SUFFIXES[folder.name], faults)
        if text is not None:
            found[name] = text
    return found


def _text(path: Path, shown_as: str, suffixes: tuple[str, ...], faults: list[Fault]) -> str | None:
    if path.suffix not in suffixes:
        faults.append(Fault(shown_as, 1, "", "is not used", f"remove it, or end its name in {', '.join(suffixes)}"))
        return None
    if path.stat().st_size > MAX_BYTES:
        faults.append(Fault(shown_as, 1, "", f"{path.stat().st_size} bytes is too large", f"at most {MAX_BYTES} bytes"))
        return None
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        faults.append(Fault(shown_as, 1, "", f"cannot be read: {error}", "save it as UTF-8 text, readable to all"))
        return None
