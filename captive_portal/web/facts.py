"""What the pages say about the town and the site: plain facts, handed over by the step that read the inventory."""

from dataclasses import dataclass, field
from typing import Any, TypedDict

from captive_portal import urls
from parvis.languages import Language

Texts = dict[str, str]
"""One text by language."""


class Service(TypedDict):
    """An online service; *open*: reachable before acceptance."""

    title: Texts
    url: str
    open: bool


class Call(TypedDict):
    """A number to call."""

    title: Texts
    number: str


class Kept(TypedDict):
    """One kind of data, in French as the data inventory has it; *seconds*: how long, where *kept* does not say."""

    title: str
    what: str
    basis: str
    kept: str
    seconds: float


class Said(TypedDict):
    """What the data inventory says of the service as a whole, in French."""

    purpose: str
    categories: str
    recipients: str
    kinds: list[Kept]


class Responsible(TypedDict):
    """Who answers by law."""

    siret: str
    address: str
    director: Texts
    dpo: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Titles and texts by language; *session* and *remember* in seconds, rates in bits per second, *quota* in bytes."""

    host: str
    town: Texts
    site: str
    title: Texts
    email: str
    phone: str
    timezone: str
    terms_version: str
    session: float
    rate_down: int
    rate_up: int
    languages: list[Language] = field(default_factory=lambda: ["fr", "en"])
    hours: str = "24/7"
    keeps_hours: bool = False
    """Whether the door keeps them."""
    radio_hours: str = ""
    """When the access points are lit; empty: always."""
    network_name: str = ""
    services: list[Service] = field(default_factory=list)
    emergency: list[Call] = field(default_factory=list)
    news: Texts | None = None
    look: dict[str, str] = field(default_factory=dict)
    legal: Responsible | None = None
    quota: int | None = None
    slow_down: int | None = None
    max_devices: int | None = None
    remember: float | None = None
    visitor: str = ""
    """The address of the resident that is a program."""
    logo: str = ""
    texts: dict[str, Texts] = field(default_factory=dict)
    """The town's own wording: French as our pages have it -> by language."""
    own_terms: dict[str, str] = field(default_factory=dict)
    """``2.1.0.fr`` -> the town's own text of that version."""
    audit: dict[str, Any] | None = None
    data: Said | None = None
    """What the notice on personal data says."""

    @property
    def url(self) -> str:
        """The portal's first page."""
        return urls.page(self.host)

    @property
    def dpo(self) -> str:
        """Where the data protection officer is written to."""
        return self.legal["dpo"] if self.legal else self.email
