"""What is handed to the process that sends the public page by HTTP."""

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Parcel:
    """What to send, and where to: an address, ``user:password`` or a token (empty: neither), files in base64."""

    target: str
    secret: str
    files: dict[str, str]

    @classmethod
    def of(cls, target: str, secret: str, found: Mapping[str, bytes], names: list[str]) -> "Parcel":
        """The files called *names* of *found*, in that order."""
        return cls(target, secret, {name: b64encode(found[name]).decode() for name in names})

    @property
    def text(self) -> str:
        """As it is handed over."""
        return json.dumps(asdict(self))
