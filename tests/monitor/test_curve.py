"""The curves the server draws: an axis whose figures can be told apart, whatever is drawn."""

from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.history.blocks import Block
from monitor.history.series import KINDS
from monitor.web.curve import SPANS, curve

NAMES = sorted(KINDS)


@pytest.mark.parametrize("name", NAMES)
@given(values=st.lists(st.floats(-40, 1e4), min_size=1, max_size=6))
def test_no_two_lines_of_the_axis_have_the_same_figure(name: str, values: list[float]) -> None:
    blocks = [(1_000_000.0 + 300 * at, block(value)) for at, value in enumerate(values)]

    drawn = curve(f"{name}/somewhere", blocks, SPANS["1d"], 1_005_000.0, ZoneInfo("Europe/Paris"), "fr")

    figures = [tick["label"] for tick in drawn["ticks"]]
    assert len(set(figures)) == len(figures), figures
    assert 2 <= len(figures) <= 7, figures
    assert all(above["y"] < below["y"] for below, above in pairwise(drawn["ticks"]))


def block(value: float) -> Block:
    """One sample."""
    return Block(1, value, value, value, value, value)
