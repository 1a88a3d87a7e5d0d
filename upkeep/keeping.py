"""Keep what a machine is before it is changed, so that it can be put back when its new state is not well."""

import filecmp
import json
import os
import shutil
import sqlite3
import tarfile
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path

from upkeep import belongings
from upkeep.machine import ask, lines

ROOT = Path("/")
PACKAGES = Path("/var/cache/parvis")
PUT_BACK = Path(__file__).with_name("put_back.py")


def keep(folder: Path, root: Path = ROOT) -> None:
    """Write into *folder*: configuration and state as archives, the installed package, and the program put-back.

    Last of all ``complete``: a folder without it is from a run that was cut short, and is made again.
    """
    if (folder / "complete").exists():
        _state_again(folder, root)
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    try:
        _keep(folder, root)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)  # half a copy helps nobody, least of all on a full disk
        raise


def _keep(folder: Path, root: Path) -> None:
    pack(folder / "configuration.tar", belongings.files(root, belongings.CONFIGURATION), root, folder)
    state = list(belongings.files(root, belongings.STATE + belongings.LEASES))
    databases = pack(folder / "state.tar", state, root, folder)
    about = {"configuration": belongings.CONFIGURATION, "databases": databases, "ours": units()}
    (folder / "about.json").write_text(json.dumps(about))
    if package := installed_package():
        shutil.copy(package, folder / "package.deb")
    shutil.copy(PUT_BACK, folder / "put-back")
    os.sync()  # what is called complete must be so after a power cut, too
    (folder / "complete").touch()


def _state_again(folder: Path, root: Path) -> None:
    """Take the state anew beside an older configuration: nobody's acceptance is to be lost by a run cut short long ago.

    Only while the version is the one that was kept: a newer one may have changed the databases.
    """
    package, kept = installed_package(), folder / "package.deb"
    if package is None or not kept.exists() or not filecmp.cmp(package, kept, shallow=False):
        return
    draft = folder / "state.tar.new"
    pack(draft, belongings.files(root, belongings.STATE + belongings.LEASES), root, folder)
    os.sync()
    draft.replace(folder / "state.tar")


def units() -> list[str]:
    """Our units that are loaded."""
    words = ("systemctl", "list-units", "--plain", "--no-legend", "--all", "parvis-*")
    return [line.split()[0] for line in lines(*words) if line]


def installed_package() -> Path | None:
    """The package file of the installed version; the roles leave it in /var/cache/parvis."""
    version = ask("dpkg-query", "--show", "--showformat=${Version}_${Architecture}", "parvis").text
    file = PACKAGES / f"parvis_{version}.deb"
    return file if version and file.exists() else None


def pack(
    archive: Path, files: Iterable[Path], root: Path, scratch: Path, forget: Mapping[str, Iterable[str]] | None = None
) -> list[str]:
    """Put *files* into *archive* by their paths below *root*; databases as whole copies. Returns the databases' names.

    *forget*: SQL by a database's file name, run on its copy.
    """
    databases = []
    folders: set[Path] = set()
    with tarfile.open(archive, "w") as made:
        for file in files:
            name = str(file.relative_to(root))
            for folder in own_folders(file.relative_to(root)):
                if folder not in folders:
                    folders.add(folder)
                    made.add(root / folder, str(folder), recursive=False)
            if belongings.is_sqlite_shadow(file):
                continue
            if belongings.is_sqlite(file):
                databases.append(name)
                copy = scratch / "copy.sqlite"
                copy_database(file, copy)
                strike(copy, (forget or {}).get(file.name, ()))
                about = made.gettarinfo(file, name)
                about.size = copy.stat().st_size
                with copy.open("rb") as opened:
                    made.addfile(about, opened)
                copy.unlink()
            else:
                made.add(file, name, recursive=False)
    archive.chmod(0o600)
    return databases


def own_folders(name: Path) -> list[Path]:
    """The folders of ours above *name*, the outermost first: their owners and modes come along, secrets' above all.

    >>> [str(folder) for folder in own_folders(Path("etc/parvis/secrets/portal-key"))]
    ['etc/parvis', 'etc/parvis/secrets']
    """
    return [folder for folder in reversed(name.parents) if "parvis" in folder.parts]


def copy_database(file: Path, into: Path) -> None:
    """A whole copy of the database *file*, while others write to it (SQLite's online backup)."""
    into.unlink(missing_ok=True)
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as source, closing(sqlite3.connect(into)) as target:
        source.backup(target)


def strike(database: Path, statements: Iterable[str]) -> None:
    """Run *statements* on a copy, and leave no trace of what they struck."""
    listed = tuple(statements)
    if not listed:
        return
    with closing(sqlite3.connect(database)) as connection:
        for statement in listed:
            connection.execute(statement)
        connection.commit()
        connection.execute("VACUUM")
