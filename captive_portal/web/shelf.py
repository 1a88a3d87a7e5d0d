"""Pages that are the same for everybody but for one token: rendered at most once a second for each key.

The first page is the one that hundreds ask for at once; rendering it takes ten times as long as all the rest.
"""

import secrets
import threading
import time
from collections.abc import Callable, Hashable

KEEP_SECONDS = 1.0
MOST = 64
"""Pages kept: languages, ways to name them, and what has happened to the site."""


class Shelf:
    """For any number of threads. Nothing of a device may be in a page put here, except its token."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._mark = secrets.token_urlsafe(48)
        self._pages: dict[Hashable, tuple[float, list[str]]] = {}
        self._lock = threading.Lock()

    def page(self, key: Hashable, token: str, make: Callable[[str], str]) -> str:
        """The page for *key* with *token* in it; *make* renders it with another in the token's place.

        >>> Shelf().page("fr", "abc", lambda token: f"<input value='{token}'>")
        "<input value='abc'>"
        """
        now = self._clock()
        kept = self._pages.get(key)
        if kept is None or kept[0] <= now:
            kept = (now + KEEP_SECONDS, make(self._mark).split(self._mark))
            with self._lock:
                if len(self._pages) >= MOST:
                    self._pages.clear()
                self._pages[key] = kept
        return token.join(kept[1])
