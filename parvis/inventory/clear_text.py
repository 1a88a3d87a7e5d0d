"""Devices asked in clear text (SNMPv1, v2c, unencrypted v3): exceptions from SEC-06 with reason and end, or overdue."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from parvis.inventory.model import Site, Town


@dataclass(frozen=True, slots=True)
class ClearText:
    """*device* of *site* is asked with *credential*; *until*: the exception's last day, None where none was set."""

    device: str
    site: Site
    credential: str
    how: str
    reason: str
    until: date | None

    def overdue(self, today: date) -> bool:
        """Whether the exception has ended, or never had an end."""
        return self.until is None or today > self.until

    def words(self, today: date) -> str:
        """One line for whoever administers the town."""
        asked = f"{self.device} is asked in {self.how}, in clear text ({self.credential})"
        why = f": {self.reason}" if self.reason else ""
        if self.until is None:
            return f"{asked}, without an end{why}; move it to SNMPv3 with encryption, or write until and reason"
        if self.overdue(today):
            return f"{asked}, the exception ended on {self.until}{why}; move it to SNMPv3"
        return f"{asked} until {self.until}{why}"


def in_clear_text(town: Town) -> Iterator[ClearText]:
    """Every device that is asked in clear text, site by site."""
    for site in town.sites:
        for device in site.polled():
            credential = town.credential(device.snmp.credential)
            if how := credential.in_clear:
                yield ClearText(device.name, site, credential.name, how, credential.reason or "", credential.until)
