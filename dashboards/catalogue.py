"""The panel catalogue: every board, in the order a reader goes down through them."""

from collections.abc import Mapping
from functools import cache

from dashboards.boards import collecting, contracts, link, oncall, point, portal, site, town, usage
from dashboards.panel import Board

BOARDS: tuple[Board, ...] = (
    town.BOARD,
    site.BOARD,
    point.BOARD,
    link.BOARD,
    portal.BOARD,
    usage.BOARD,
    oncall.BOARD,
    collecting.BOARD,
    contracts.BOARD,
)


@cache
def by_uid() -> Mapping[str, Board]:
    """Each board by its uid."""
    return {board.uid: board for board in BOARDS}
