"""What a client can see of a network: answers, or why there was none. And what it makes of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class State(StrEnum):
    """What a client tells its owner."""

    ONLINE = "online"
    PORTAL = "portal"
    """It asks its owner to sign in."""
    PARTIAL = "partial"
    """Some of the internet, it says; it asks nobody to sign in."""
    OFFLINE = "offline"
    """"No internet": it asks nobody to sign in, and may leave the network."""


@dataclass(frozen=True)
class Verdict:
    """A state, and the page the owner is shown."""

    state: State
    page: str = ""


@dataclass(frozen=True)
class Seen:
    """An answer; *status* 0 when there was none, with the *fault*: name, refused, timeout, tls, reset."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    fault: str = ""

    @property
    def location(self) -> str:
        return self.headers.get("location", "")

    @property
    def length(self) -> int:
        """Bytes announced, else bytes that came."""
        return int(self.headers.get("content-length", len(self.body)))


class Web(Protocol):
    """A way to ask."""

    def get(self, url: str, **headers: str) -> Seen:
        """One GET, nothing followed, no cookie."""

    def resolve(self, name: str) -> list[str]:
        """The addresses of *name*, IPv6 first; none when it has none."""
