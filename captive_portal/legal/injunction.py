"""Whether communications are recorded (store B): a named person's choice, under a decree, from one day to another.

L.34-1 III CPCE lets the Prime Minister order it for a year at most. Parvis does not decide: without a choice the
recorder does not start, and a choice is signed, so that nobody makes one by editing a file.
"""

import json
from base64 import b64decode, b64encode
from dataclasses import asdict, dataclass
from datetime import date

from captive_portal.legal import sealing

LONGEST_DAYS = 366
WARN_DAYS = 30


class NotChosen(Exception):
    """There is no valid choice; the person responsible must make one (parvis legal injunction)."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Who chose what and when. *decree* names the text; *begins* and *ends* are UTC days, the last included."""

    enabled: bool
    by: str
    on: str
    decree: str = ""
    begins: str = ""
    ends: str = ""

    def in_force(self, day: date) -> bool:
        """Whether communications of *day* are recorded."""
        return self.enabled and date.fromisoformat(self.begins) <= day <= date.fromisoformat(self.ends)

    def days_left(self, day: date) -> int | None:
        """Days after *day* on which it is still in force; None when nothing is recorded anyway."""
        return (date.fromisoformat(self.ends) - day).days if self.enabled else None

    def faults(self) -> str:
        """What is wrong with it; empty when nothing is.

        >>> Choice(True, "la maire", "2026-11-30", "décret 2025-980", "2025-10-21", "2026-10-20").faults()
        ''
        """
        if not self.by.strip():
            return "says not who chose"
        if not self.enabled:
            return ""
        if not self.decree.strip():
            return "names no decree"
        try:
            length = (date.fromisoformat(self.ends) - date.fromisoformat(self.begins)).days
        except ValueError:
            return "its days are not dates such as 2026-10-21"
        return "" if 0 <= length < LONGEST_DAYS else "lasts longer than a year, or ends before it begins"

    def signed_part(self) -> bytes:
        """What the signature is of."""
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=False).encode()

    def text(self, signer: bytes) -> str:
        """The file, signed by the town's private key."""
        signature = b64encode(sealing.sign(signer, self.signed_part())).decode()
        return json.dumps({**asdict(self), "signature": signature}, ensure_ascii=False, indent=1) + "\n"


def read(text: str, signer: bytes) -> Choice:
    """The choice in a file, by the town's public key; NotChosen says what to do."""
    try:
        said = json.loads(text)
        signature = b64decode(said.pop("signature"), validate=True)
        made = Choice(**said)
        genuine = sealing.signed(signer, made.signed_part(), signature)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NotChosen(f"is no choice about the injunction: {error}; make it with parvis legal injunction") from error
    if not genuine:
        raise NotChosen("is not signed by this town; make it with parvis legal injunction")
    if wrong := made.faults():
        raise NotChosen(f"the choice {wrong}; make it again with parvis legal injunction")
    return made
