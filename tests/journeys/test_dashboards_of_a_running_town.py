"""The dashboards on the running town's own Prometheus: our processes, its scrapes, nothing played."""

import re

import pytest

from actors import eventually, promql
from dashboards.catalogue import BOARDS
from lab.town import Lab

pytestmark = [pytest.mark.root, pytest.mark.slow]

NEEDED = {"wifi-ville", "wifi-site", "wifi-borne", "wifi-collecte"}
"""Boards of which a town that has just started must show the greater part; the others need residents, days or calls."""
NEEDED_SHARE = 0.6


def asked(text: str) -> str:
    filled = re.sub(r"\$__(rate_interval|interval)\b", "1m", text)
    filled = filled.replace("$__range_s", "3600").replace("$__range", "1h")
    return re.sub(r"\$(site|lien|borne|bande)\b", ".*", filled)


def share(twin: Lab, uid: str) -> float:
    """The part of a board's queries that find something; a query Prometheus refuses is an error."""
    (board,) = (one for one in BOARDS if one.uid == uid)
    queries = [query for panel in board.panels for query in panel.promql]
    return sum(bool(promql(twin, asked(text))) for text in queries) / len(queries)


@pytest.mark.parametrize("uid", sorted(NEEDED))
def test_a_board_shows_the_running_town(twin: Lab, uid: str) -> None:
    """Once is enough: on a crowded machine a scrape is late now and then, and what it brings is away for a second."""
    seen: list[float] = []

    def enough() -> bool:
        seen.append(share(twin, uid))
        return seen[-1] >= NEEDED_SHARE

    eventually(enough, f"{uid} has figures", seconds=60)

    assert max(seen) >= NEEDED_SHARE
