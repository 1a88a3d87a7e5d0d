"""What keeps residents off the internet although the site's equipment answers. No I/O, no clock."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from monitor.checks import Verdict

Obstacle = Literal["internet-cut", "residents-barred"]
"""Nothing passes beyond the uplink; or nobody new gets in. A verdict on the site (words.yml)."""
AT_THE_DOOR = ("door", "portal")


@dataclass(frozen=True, slots=True)
class Hindrance:
    """The worst *obstacle* of a site, and *since* when (Unix time)."""

    obstacle: Obstacle
    since: float


def barred(verdicts: Iterable[Verdict]) -> set[str]:
    """The sites at whose door something is wrong that somebody is called or has a ticket for."""
    return {
        one.alert.site
        for one in verdicts
        if one.firing and one.wrong and one.alert.site and one.alert.layer in AT_THE_DOOR
    }


def hindrances(
    before: Mapping[str, Hindrance], beyond: Mapping[str, bool], closed: Iterable[str], now: float
) -> dict[str, Hindrance]:
    """What hinders each site now. *beyond*: whether anything beyond its uplink answers; *closed*: the barred sites."""
    worst: dict[str, Obstacle] = dict.fromkeys(closed, "residents-barred")
    worst |= {site: "internet-cut" for site, answers in beyond.items() if not answers}
    known = {site: one for site, one in before.items() if worst.get(site) == one.obstacle}
    return {site: known.get(site) or Hindrance(obstacle, now) for site, obstacle in worst.items()}
