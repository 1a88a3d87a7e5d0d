"""How often the terms were accepted, by day, language and version; nobody is in these figures."""

from collections import Counter
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Integer, cast, func, select

from captive_portal.store import TRIAL, Store, acceptances

HOUR = 3600
DAY = 86400.0


def accepted(store: Store, days: int, now: float, zone: ZoneInfo) -> list[tuple[str, str, str, int]]:
    """(day in the town's time, language, terms version, acceptances) of the last *days*, newest first. StoreFailed."""
    hour = (cast(acceptances.c.accepted_at, Integer) // HOUR).label("hour")
    columns = (hour, acceptances.c.language, acceptances.c.terms_version)
    wanted = select(*columns, func.count().label("number"))
    wanted = wanted.where(acceptances.c.accepted_at >= now - days * DAY, acceptances.c.terms_version != TRIAL)
    counted: Counter[tuple[str, str, str]] = Counter()
    with store.connection() as connection:
        for row in connection.execute(wanted.group_by(*columns)):
            day = datetime.fromtimestamp(row.hour * HOUR, zone).date().isoformat()
            counted[day, row.language, row.terms_version] += row.number
    ordered = sorted(counted.items(), key=lambda item: item[0][1:])
    return [(*key, number) for key, number in sorted(ordered, key=lambda item: item[0][0], reverse=True)]
