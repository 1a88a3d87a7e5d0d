"""MAC addresses. Apart from values, because small processes import this and no pydantic."""

import re
from dataclasses import dataclass

_MAC = re.compile(r"[0-9a-f]{12}")


@dataclass(frozen=True, slots=True, order=True)
class MacAddress:
    """EUI-48 (IEEE 802), lower case, colons.

    >>> MacAddress.parse("A4-83-E7-00-00-2A").text
    'a4:83:e7:00:00:2a'
    >>> MacAddress.parse("02:00:00:00:00:01").is_random
    True
    """

    text: str

    @classmethod
    def parse(cls, text: "str | MacAddress") -> "MacAddress":
        """Read the usual spellings (colons, hyphens, dots, none); ValueError for anything else.

        >>> MacAddress.parse("a483.e700.002a")
        MacAddress(text='a4:83:e7:00:00:2a')
        """
        if isinstance(text, MacAddress):
            return text
        digits = re.sub(r"[:.-]", "", str(text)).lower()
        if not _MAC.fullmatch(digits):
            raise ValueError(f"{text!r} is not a MAC address; write six pairs such as a4:83:e7:00:00:2a")
        return cls(":".join(digits[i : i + 2] for i in range(0, 12, 2)))

    @property
    def is_random(self) -> bool:
        """Whether the address is locally administered (IEEE 802, bit 0x02), as phones' private addresses are."""
        return bool(int(self.text[:2], 16) & 0x02)

    def __str__(self) -> str:
        return self.text
