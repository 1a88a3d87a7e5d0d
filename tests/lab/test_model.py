"""A simulated device's figures are a pure function of its name and of time, and behave like a real device's."""

from lab.agents import model


def test_the_same_moment_gives_the_same_figures() -> None:
    moments = (0, 1, 61.5, 90_000)

    first = [model.clients("ap-1", "5", "s", t) + model.octets("ap-1", "eth0", t) for t in moments]

    assert first == [model.clients("ap-1", "5", "s", t) + model.octets("ap-1", "eth0", t) for t in moments]


def test_two_devices_differ() -> None:
    assert any(model.clients("ap-1", "5", "s", t) != model.clients("ap-2", "5", "s", t) for t in range(0, 900, 30))


def test_counters_never_fall_and_do_move() -> None:
    counted = [model.octets("ap-1", "eth0-in", t) for t in range(2000)]

    assert counted == sorted(counted)
    assert counted[-1] > counted[0]


def test_clients_come_and_go_within_reason() -> None:
    counts = [model.clients("ap-1", "2.4", "s", t) for t in range(0, 3600, 10)]

    assert min(counts) >= 0
    assert max(counts) < 40
    assert len(set(counts)) > 3


def test_the_channel_is_never_busier_than_always() -> None:
    assert all(0 <= model.busy_ratio("ap-1", "5", t) <= 0.95 for t in range(0, 600, 7))
