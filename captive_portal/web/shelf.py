"""Pages that are the same for everybody but for one token: rendered and packed at most once a second for each key.

The first page is the one that hundreds ask for at once; rendering it takes ten times as long as all the rest.
"""

import secrets
import threading
import time
from collections.abc import Callable, Hashable

from captive_portal.web.packing import Gapped

KEEP_SECONDS = 1.0
MOST = 64
"""Pages kept: languages, ways to name them, and what has happened to the site."""


class Shelf:
    """For any number of threads. Nothing of a device may be in a page put here, except its token."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._mark = secrets.token_urlsafe(48)
        self._pages: dict[Hashable, tuple[float, Gapped]] = {}
        self._lock = threading.Lock()

    def page(self, key: Hashable, token: str, make: Callable[[str], str], *, packed: bool = False) -> bytes:
        """The page for *key* with *token* in its one place; *make* renders it with another in the token's place.

        >>> Shelf().page("fr", "abc", lambda token: f"<input value='{token}'>")
        b"<input value='abc'>"
        """
        now, key = self._clock(), (key, len(token))
        kept = self._pages.get(key)
        if kept is None or kept[0] <= now:
            before, after = make(self._mark).encode().split(self._mark.encode())
            kept = (now + KEEP_SECONDS, Gapped(before, after, len(token)))
            with self._lock:
                if len(self._pages) >= MOST:
                    self._pages.clear()
                self._pages[key] = kept
        word = token.encode("ascii")
        return kept[1].packed(word) if packed else kept[1].filled(word)
