"""Files that are whole and on the disk when the call returns."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Have an error of the system name *path* where it names no file: a write without room does not by itself."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


@contextmanager
def _no_rest(draft: Path) -> Iterator[None]:
    """What found no room holds none: half a draft would stay on a disk that is full."""
    try:
        yield
    except OSError:
        with suppress(OSError):
            draft.unlink()
        raise


def write_whole(path: Path, data: bytes | str, mode: int | None = None, owner: tuple[int, int] | None = None) -> None:
    """Write a file whole or not at all, durably; a text as UTF-8. OSError when that cannot be done.

    *mode* are its permissions, whatever the umask (None: what the umask leaves of 0666); *owner* is user and group.
    """
    draft = path.with_name(f".{path.name}.new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666 if mode is None else mode)
    with naming(path), _no_rest(draft), os.fdopen(handle, "wb") as file:
        if mode is not None:  # before anything is in it: a draft that was left may have other permissions
            os.fchmod(handle, mode)
        if owner is not None:
            os.fchown(handle, *owner)
        file.write(data.encode() if isinstance(data, str) else data)
        file.flush()
        os.fsync(handle)
    draft.replace(path)
    sync_folder(path.parent)


def write_once(path: Path, data: bytes, mode: int) -> None:
    """Write a file whole, unless there is one: of several processes at once the first makes it, and all read it."""
    if path.exists():
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    write_whole(draft, data, mode)
    with suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()
    sync_folder(path.parent)


def append_text(path: Path, lines: str, mode: int = 0o666) -> None:
    """Add whole *lines* to a file, which is made if there is none, with *mode* less the umask; then it is on the disk.

    What a power cut left of a last line is a line of its own from then on, and takes none of these with it.
    """
    is_new = not path.exists()
    with naming(path), os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, mode), "r+b") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - 1, 0))
        begins = b"" if file.read(1) in {b"", b"\n"} else b"\n"
        file.write(begins + lines.encode())
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        sync_folder(path.parent)


def settled(path: Path) -> None:
    """Wait until a file that another program wrote is on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make what was made, renamed or removed in *folder* durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
