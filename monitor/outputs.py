"""What the monitor draws from the town: whom it asks, for ``parvis plan``; what is wrong with the rota."""

from zoneinfo import ZoneInfo

import yaml

from monitor import calendars, eligibility, rota
from monitor.targets import targets
from parvis.inventory import Fault, Town


def outputs(town: Town) -> dict[str, str]:
    """``centre/monitor-targets.yml``: every target, its address, and what it stands behind."""
    listed = [
        {
            "name": target.name,
            "kind": target.kind.value,
            "site": target.site,
            "address": str(target.address),
            "behind": list(target.parents),
        }
        for target in targets(town)
    ]
    return {"centre/monitor-targets.yml": yaml.safe_dump(listed, sort_keys=False, allow_unicode=True)}


def faults(town: Town) -> list[Fault]:
    """Hours with nobody on duty, one person on duty twice, people who may not be, calendars that cannot be read."""
    wrong = calendars.faults(town)
    if wrong:
        return wrong
    roster = rota.Roster(town, calendars.shifts_of(town))
    start = town.rota.starts
    aware = start if start.tzinfo else start.replace(tzinfo=ZoneInfo(town.timezone))
    told = [(text, "add a swap, or change the order") for text in rota.faults(roster, aware)]
    told += [(text, "take them off, or amend people, statuses or jobs") for text in eligibility.faults(roster)]
    return [Fault("town.yml", 1, "rota", text, fix) for text, fix in told]
