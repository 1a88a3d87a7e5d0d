"""One column of a profile, as written in its file: where it is asked, how often, and how its raw value is read."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Literal

from parvis.shapes import After, Before, Closed, within
from parvis.values import Oid


def _compiles(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is not a regular expression: {error}") from error
    return text


def _captures(text: str) -> str:
    if re.compile(text).groups != 1:
        raise ValueError(f"{text!r} must have one group, which says what to take")
    return text


Pattern = Annotated[str, After(_compiles)]
CapturingPattern = Annotated[Pattern, After(_captures)]
Reading = Literal[
    "number",
    "negative",
    "signed_octet",
    "text",
    "mac",
    "mac_or_text",
    "address",
    "hex",
    "opaque_float",
    "channel",
    "band_of_megahertz",
    "channel_of_megahertz",
    "band_of_channel",
    "band_of_6e_channel",
]
"""How the octets of a variable become a number or a text; see collectors.reading.READ."""


Every = Literal["poll", "slow", "hour"]
"""How often something is asked: at each poll, every tenth, or once an hour."""
EVERY_SECONDS: Mapping[Every, float] = {"poll": 0, "slow": 600, "hour": 3600}
"""How long an answer may be remembered, while the device runs on and has the same rows."""


@dataclass(frozen=True)
class Column(Closed):
    """One object: where it is and how its raw value is read. A raw or read value out of bounds is no value.

    *item* takes the n-th of a comma list, counted from 0; *extract* what the pattern's first group captures; *bit* the
    n-th bit, 0 or 1: of octets counted from the first's highest (RFC 2578 BITS), of an integer from its lowest. *names*
    maps whole raw texts (regular expressions) to the word used here; what matches none has no value. *absent* lists
    read values that mean "none"; then *offset* is added and *scale* multiplied; *range* is inclusive, in the unit
    after *scale*; *cap* cuts off above. *every*: how often it is asked, else as often as its table.
    """

    oid: Oid | None = None
    arc: Annotated[int, within(1)] | None = None
    item: Annotated[int, within(0)] | None = None
    extract: CapturingPattern | None = None
    bit: Annotated[int, within(0)] | None = None
    read: Reading = "number"
    offset: float = 0
    scale: float = 1
    absent: tuple[int | str, ...] = ()
    names: dict[Pattern, str] = field(default_factory=dict)
    range: tuple[float, float] | None = None
    cap: float | None = None
    every: Every | None = None

    @cached_property
    def matchers(self) -> list[tuple[re.Pattern[str], str]]:
        """*names* compiled, in order."""
        return [(re.compile(pattern), name) for pattern, name in self.names.items()]


ColumnSpec = Annotated[Column, Before(lambda v: {"arc": v} if isinstance(v, int) else v)]


@dataclass(frozen=True, slots=True)
class IndexPart(Closed):
    """What one place of a row's index says.

    *at* counts from 0, or from the end if negative. A ``text`` begins there with its length; a ``rest`` is the text of
    all that follows (IMPLIED, RFC 2578 section 7.7). *extract* takes what the pattern's group captures of a text.
    """

    at: int
    read: Literal["number", "text", "rest"] = "number"
    extract: CapturingPattern | None = None


IndexSpec = Annotated[IndexPart, Before(lambda v: {"at": v} if isinstance(v, int) else v)]
