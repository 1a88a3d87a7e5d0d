"""``parvis portal`` with limits shorter than a town may write: what takes minutes there takes seconds here."""

from typing import Any

from captive_portal import commands
from captive_portal.settings import PortalSettings
from parvis.cli import main

IDLE_SECONDS, QUOTA_BYTES = 8.0, 300_000
_written = commands.portal_facts


def _impatient(settings: PortalSettings) -> dict[str, Any]:
    facts = _written(settings)
    facts["policy"] |= {"idle": IDLE_SECONDS, "quota": QUOTA_BYTES}
    return facts


if __name__ == "__main__":
    commands.portal_facts = _impatient
    main()
