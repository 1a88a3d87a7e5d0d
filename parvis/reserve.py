"""Room that is held on a disk for the day it is full."""

import os
from contextlib import suppress
from pathlib import Path


class Reserve:
    """Room on the disk that is held for the day it is full: a file of so many octets, 0 for none."""

    def __init__(self, path: Path, octets: int) -> None:
        self._path, self._octets = path, octets

    def fill(self) -> bool:
        """Take the room, if there is room enough beside; whether it is held now."""
        if self.held or not self._octets:
            return self.held
        free = os.statvfs(self._path.parent)
        if free.f_bavail * free.f_frsize < 2 * self._octets:
            return False
        with suppress(OSError), self._path.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, self._octets)
        return self.held

    @property
    def held(self) -> bool:
        """Whether the room is still kept."""
        return self._path.exists() and self._path.stat().st_size == self._octets

    def give_up(self) -> bool:
        """Free the room; False when there is none any more."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True
