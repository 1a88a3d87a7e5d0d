"""What the town says to its residents and how its pages look: texts, services, numbers to call, colours."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

_UNSHOWABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")


def _showable(text: str) -> str:
    """The same; ValueError where a page or a feed could not hold it (XML 1.0 section 2.2, and the C1 controls)."""
    found = _UNSHOWABLE.search(text)
    if found:
        raise ValueError(f"has a character that no page can show (U+{ord(found[0]):04X}); write it without")
    return text


Colour = Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$")]
"""sRGB, ``#rrggbb``, lower case."""
Line = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_showable)]


class Part(BaseModel):
    """A part of the description: frozen, and closed to unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Text(Part):
    """A text shown to people: French and English always, other languages where the town has them."""

    fr: Line
    en: Line
    es: Line | None = None
    pt: Line | None = None
    ar: Line | None = None
    uk: Line | None = None
    zh: Line | None = None

    def by_language(self) -> dict[str, str]:
        """The texts there are."""
        found: dict[str, str] = self.model_dump(exclude_none=True)
        return found


class OnlineService(Part):
    """One of the town's services on the internet, with a link from the portal."""

    title: Text
    url: str = Field(pattern=r"^https://[a-z0-9.-]+(/[^\s\"<>]*)?$", max_length=200)

    @property
    def host(self) -> str:
        """The name in *url*."""
        return self.url.removeprefix("https://").partition("/")[0]


class EmergencyNumber(Part):
    """A number to call in an emergency."""

    number: str = Field(pattern=r"^\+?[0-9][0-9 ]{1,19}$")
    title: Text


class Appearance(Part):
    """The pages' colours. *main*: links and buttons; *dark*: the head of the page; *paper*: behind everything."""

    main: Colour = "#0b5c4d"
    dark: Colour = "#084237"
    paper: Colour = "#f4f1ea"


class Legal(Part):
    """Who answers for the service by law: legal notice (LCEN) and GDPR art. 13."""

    siret: str = Field(pattern=r"^[0-9]{14}$")
    address: str = Field(min_length=1, max_length=200)
    director: Text
    """Of the publication: the mayor, usually."""
    dpo: str = Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
    """Where the data protection officer is written to."""
