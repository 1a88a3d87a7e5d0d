"""A simulated device's figures are a pure function of its name and of time, and behave like a real device's."""

import pytest

from lab.agents import model
from lab.agents.model import HOUR_SECONDS, USUAL_HOURS, WEEK_SECONDS, Moment

TUESDAY = 24 * HOUR_SECONDS


def at(seconds: float, **more: object) -> Moment:
    return Moment(seconds, **more)  # type: ignore[arg-type]


def test_the_same_moment_gives_the_same_figures() -> None:
    moments = [at(seconds) for seconds in (0, 1, 61.5, 90_000)]

    first = [model.clients("ap-1", "5", "s", m) + model.octets("ap-1", "eth0", m) for m in moments]

    assert first == [model.clients("ap-1", "5", "s", m) + model.octets("ap-1", "eth0", m) for m in moments]


def test_two_devices_differ() -> None:
    noon = [at(TUESDAY + 11 * HOUR_SECONDS + seconds) for seconds in range(0, 900, 30)]

    assert any(model.clients("ap-1", "5", "s", m) != model.clients("ap-2", "5", "s", m) for m in noon)


def test_counters_never_fall_and_move_more_by_day_than_by_night() -> None:
    def loaded(begin: float, end: float) -> int:
        return model.octets("ap-1", "eth0-in", at(end)) - model.octets("ap-1", "eth0-in", at(begin))

    counted = [model.octets("ap-1", "eth0-in", at(seconds)) for seconds in range(0, 2 * WEEK_SECONDS, 1009)]

    assert counted == sorted(counted)
    assert loaded(TUESDAY + 10 * HOUR_SECONDS, TUESDAY + 11 * HOUR_SECONDS) > 5 * loaded(
        TUESDAY, TUESDAY + HOUR_SECONDS
    )


def test_counters_count_from_the_boot() -> None:
    assert model.octets("ap-1", "eth0-in", at(TUESDAY, booted=TUESDAY)) == 0
    assert model.octets("ap-1", "eth0-in", at(TUESDAY + 60, booted=TUESDAY)) > 0
    assert model.octets("ap-1", "eth0-in", at(TUESDAY, booted=-9 * WEEK_SECONDS)) > 10**9


def test_clients_come_when_the_building_opens_and_go_when_it_closes() -> None:
    def people(hour: float) -> float:
        moments = [at(TUESDAY + hour * HOUR_SECONDS + minute * 60) for minute in range(60)]
        return sum(model.clients(f"ap-{n}", "5", "s", m) for m in moments for n in range(5)) / 60

    assert people(3) < 4
    assert people(11) > 15
    assert people(15) > people(13) > people(20)


@pytest.mark.parametrize("day", [5, 6])
def test_a_building_closed_all_day_is_empty(day: int) -> None:
    noon = day * 24 * HOUR_SECONDS + 11 * HOUR_SECONDS

    assert model.fullness(USUAL_HOURS, noon) == model.CLOSED_SHARE


def test_clients_come_and_go_within_reason() -> None:
    counts = [model.clients("ap-1", "2.4", "s", at(TUESDAY + 10 * HOUR_SECONDS + t)) for t in range(0, 3600, 10)]

    assert 0 <= min(counts) < max(counts) < 40
    assert len(set(counts)) > 3


def test_what_was_visited_is_the_sum_of_how_full_it_was() -> None:
    step = 60
    summed = sum(model.fullness(USUAL_HOURS, seconds + step / 2) * step for seconds in range(0, WEEK_SECONDS, step))

    assert model.visited(USUAL_HOURS, WEEK_SECONDS) == pytest.approx(summed, rel=1e-3)


def test_the_channel_is_never_busier_than_always() -> None:
    assert all(0 <= model.busy_ratio("ap-1", "5", at(seconds)) <= 0.95 for seconds in range(0, WEEK_SECONDS, 6007))


def test_a_dead_radio_and_a_deserted_device_have_nobody() -> None:
    noon = TUESDAY + 11 * HOUR_SECONDS

    assert model.clients("ap-1", "5", "s", at(noon)) > 0
    assert model.clients("ap-1", "5", "s", at(noon, dead_bands=frozenset(("5",)))) == 0
    assert model.clients("ap-1", "5", "s", at(noon, is_deserted=True)) == 0
