"""Kea's lease file, followed as it grows: which MAC address may use which IPv4 address.

The file is append-only CSV; its last line on an address wins (Kea ARM, "memfile"). Kea's clean-up (LFC) renames it:
FILE.completed or FILE.2 and FILE.1 are then older than FILE.
"""

import ctypes
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address
from pathlib import Path

from parvis.addresses import MacAddress

ASSIGNED, RECLAIMED = "0", "2"
"""Kea's lease states; 1 is declined."""
IN_MODIFY, IN_MOVED_TO, IN_CREATE = 0x2, 0x80, 0x100
IN_NONBLOCK_CLOEXEC = os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Lease:
    """One line: *expires* on the follower's clock, *lifetime* in seconds; *mac* None: the address is free again.

    *client*: the device's own names as a number that means nothing outside this process (option 61, option 12).
    *reclaimed*: free because Kea's clock, the wall clock, says so; the device itself did not give it back.
    """

    address: IPv4Address
    mac: MacAddress | None
    expires: float
    lifetime: float = 0.0
    reclaimed: bool = False
    client: int = 0


def read(lines: Iterable[str], header: list[str], shift: float = 0.0) -> Iterator[Lease]:
    """The leases of complete CSV lines; lines that make no sense are passed over. *shift*: own clock minus Kea's.

    Kea writes no quotation marks of its own and commas within a field as ``&#x2c``, so a comma always separates and
    a device that calls itself ``"`` swallows no neighbour's line.

    >>> names = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state".split(",")
    >>> list(read(["10.11.0.5,02:00:00:00:00:01,,3600,1800000000,1,0,0,,0"], names))[0].mac.text
    '02:00:00:00:00:01'
    """
    for line in lines:
        fields = dict(zip(header, line.split(","), strict=False))
        try:
            address, expires = IPv4Address(fields["address"]), float(fields["expire"])
            lifetime = _seconds(fields["valid_lifetime"])
            held = fields["state"] == ASSIGNED and fields["valid_lifetime"] != "0"
            mac = MacAddress.parse(fields["hwaddr"]) if held else None
        except (KeyError, ValueError):
            continue
        yield Lease(address, mac, expires + shift, lifetime, fields["state"] == RECLAIMED, _client(fields))


_seconds = lru_cache(64)(float)
"""Thousands of leases have the same lifetime, and one number for it."""


def _client(fields: Mapping[str, str]) -> int:
    return hash((fields.get("client_id", ""), fields.get("hostname", "")))


class Follower:
    """Follows the lease file at *path* through growth, renaming and absence. :meth:`news` never blocks.

    *shift* gives the reader's clock minus the wall clock, by which Kea writes.
    """

    def __init__(self, path: Path, shift: Callable[[], float] = lambda: 0.0) -> None:
        self._path, self._shift = path, shift
        self._file: int | None = None
        self._inode = 0
        self._rest = b""
        self._header: list[str] = []
        self.readable = False
        """Whether the file could be read the last time."""

    def history(self) -> list[Lease]:
        """What Kea's clean-up has put aside, oldest first; call it once, with the first :meth:`news`."""
        names = (".completed",) if self._path.with_name(self._path.name + ".completed").exists() else (".2", ".1")
        found: list[Lease] = []
        for name in names:
            try:
                text = self._path.with_name(self._path.name + name).read_text("ascii", "replace")
            except OSError:
                continue
            first, _, rest = text.partition("\n")
            found += read(rest.split("\n"), first.split(","), self._shift())
        return found

    def news(self) -> list[Lease]:
        """What was written since the last call, in order."""
        found = list(self._grown())
        if self._replaced():
            found += self._grown()  # its last words, written between the first look and the renaming
            self._open()
            found += self._grown()
        return found

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _replaced(self) -> bool:
        try:
            now = self._path.stat()
        except OSError:
            self.readable = False
            return False
        shrunk = self._file is not None and now.st_size < os.lseek(self._file, 0, os.SEEK_CUR)
        return self._file is None or now.st_ino != self._inode or shrunk

    def _open(self) -> None:
        self.close()
        try:
            self._file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self.readable = False
            return
        self.readable = True
        self._inode, self._rest, self._header = os.fstat(self._file).st_ino, b"", []

    def _grown(self) -> Iterator[Lease]:
        while self._file is not None and (chunk := os.read(self._file, 1 << 16)):
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            texts = [line.decode("ascii", "replace") for line in lines]
            if not self._header and texts:
                self._header = texts.pop(0).split(",")
            yield from read(texts, self._header, self._shift())


class DirectoryWatch:
    """inotify(7) on a folder: :meth:`fileno` becomes readable when a file in it changes. OSError when impossible."""

    def __init__(self, folder: Path) -> None:
        library = ctypes.CDLL(None, use_errno=True)
        self._fd: int = library.inotify_init1(IN_NONBLOCK_CLOEXEC)
        mask = IN_MODIFY | IN_MOVED_TO | IN_CREATE
        if self._fd < 0 or library.inotify_add_watch(self._fd, os.fsencode(folder), mask) < 0:
            code = ctypes.get_errno()
            self.close()
            raise OSError(code, os.strerror(code), str(folder))

    def fileno(self) -> int:
        """The descriptor to wait on."""
        return self._fd

    def drain(self) -> None:
        """Forget the events; the file itself says what happened."""
        try:
            while os.read(self._fd, 1 << 14):
                pass
        except BlockingIOError:
            pass

    def close(self) -> None:
        """Stop watching."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
