"""What the kernel has told and is not yet sealed, in anonymous memory that outlives the process, never on a disk.

The service manager keeps its descriptor (systemd.service, FileDescriptorStoreMax=). A word is received into its place
before its length is noted; a process that dies between the two leaves a word whose own header still tells its length.
"""

import mmap
import os
import struct
from collections.abc import Iterator

BYTES = 32 * 1024 * 1024
LARGEST = 64 * 1024
_HEAD = struct.Struct("=LLq")
"""Length, source, milliseconds since 1970."""
_LENGTH = struct.Struct("=L")
_HEARD = struct.Struct("=q")


class Spool:
    """A spool in the anonymous file *handle*; with None a new one."""

    def __init__(self, handle: int | None = None, size: int = BYTES) -> None:
        self.handle = os.memfd_create("evidence", os.MFD_CLOEXEC) if handle is None else handle
        if handle is None:
            os.ftruncate(self.handle, size)
        whole = os.fstat(self.handle).st_size
        self._map = mmap.mmap(self.handle, whole)
        self._size = whole - _HEARD.size
        self._view = memoryview(self._map)
        self._end = sum(_padded(len(word)) + _HEAD.size for _, _, word in self.words())

    def __len__(self) -> int:
        """Octets in use."""
        return self._end

    @property
    def heard(self) -> int:
        """Up to when everything was taken, on the clock nobody can set (milliseconds); 0: never."""
        return int(_HEARD.unpack_from(self._map, self._size)[0])

    @heard.setter
    def heard(self, steady: int) -> None:
        _HEARD.pack_into(self._map, self._size, steady)

    @property
    def full(self) -> bool:
        """Whether there is no place for one more word."""
        return self._end + _HEAD.size + LARGEST + _HEAD.size > self._size

    def place(self, source: int, at: int) -> memoryview:
        """Where the next word of *source* may be received; :meth:`took` says how long it was."""
        _HEAD.pack_into(self._map, self._end, 0, source, at)
        start = self._end + _HEAD.size
        return self._view[start : start + LARGEST]

    def took(self, length: int) -> None:
        """The word that was received has so many octets."""
        _LENGTH.pack_into(self._map, self._end, length)
        self._end += _HEAD.size + _padded(length)

    def words(self, offset: int = 0) -> Iterator[tuple[int, int, bytes]]:
        """(source, milliseconds, word) of each word from *offset* on, in order."""
        while offset + _HEAD.size + _LENGTH.size <= self._size:
            length, source, at = _HEAD.unpack_from(self._map, offset)
            start = offset + _HEAD.size
            if not length:
                length = _LENGTH.unpack_from(self._map, start)[0]
            if not length or start + length > self._size:
                return
            yield source, at, bytes(self._map[start : start + length])
            offset = start + _padded(length)

    def clear(self) -> None:
        """All is sealed: forget it."""
        self._view[: self._end] = bytes(self._end)
        self._end = 0

    def close(self) -> None:
        """Let go of the memory; what is in it stays where somebody else holds the descriptor."""
        self._view.release()
        self._map.close()
        os.close(self.handle)


def _padded(length: int) -> int:
    return (length + 7) & ~7
