"""How soon calls are answered and repairs made, and whether each channel's last test went out: shown as metrics.

From what is on disk, so that a restart changes no figure; by channel and over everybody, never by person.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from math import ceil

from monitor.delivery import Result
from monitor.incidents import Event
from monitor.instruments import MonitorMetrics
from monitor.store_oncall import Entries

SPAN_SECONDS = 30 * 86400.0
QUANTILES = (0.5, 0.9)
MILESTONES = {Event.ACKNOWLEDGE: "oncall_acknowledge_seconds", Event.RESOLVE: "oncall_recovery_seconds"}
OUT = (Result.ACCEPTED, Result.PROVED)


def show_readiness(entries: Entries, metrics: MonitorMetrics, people: Iterable[str], now: float) -> None:
    """Show the delays of the last thirty days, who took calls, and the newest tests of *people*'s channels."""
    for event, name in MILESTONES.items():
        gauge = metrics.made.gauge(name)
        gauge.clear()
        found = entries.delays(event.value, now - SPAN_SECONDS)
        for part, seconds in quantiles(found).items():
            gauge.labels(f"{part:g}").set(seconds)
    called = metrics.made.gauge("oncall_called_incidents")
    for acknowledged, count in entries.called(now - SPAN_SECONDS).items():
        called.labels("yes" if acknowledged else "no").set(count)
    tests = newest_tests(entries.facts_below("test/"), people)
    for channel, (at, success) in tests.items():
        metrics.made.gauge("oncall_test_timestamp_seconds").labels(channel).set(at)
        metrics.made.gauge("oncall_test_success").labels(channel).set(float(success))


def quantiles(delays: Iterable[float]) -> Mapping[float, float]:
    """Quantile -> seconds, by nearest rank; nothing of nothing.

    >>> quantiles([30.0, 10.0, 20.0]), quantiles([])
    ({0.5: 20.0, 0.9: 30.0}, {})
    """
    ordered = sorted(delays)
    return {part: ordered[ceil(part * len(ordered)) - 1] for part in QUANTILES} if ordered else {}


def newest_tests(facts: Mapping[str, Mapping[str, object]], people: Iterable[str]) -> Mapping[str, tuple[float, bool]]:
    """Channel -> (Unix time of its newest test, whether everybody's newest went out), of *people* who are in the rota.

    *facts*: ``person/channel`` -> its newest test.

    >>> facts = {"ada/sms": {"at": 5.0, "result": "failed"}, "bo/sms": {"at": 9.0, "result": "proved"}}
    >>> newest_tests(facts, ["ada", "bo"])
    {'sms': (9.0, False)}
    """
    known = set(people)
    tests: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for name, test in facts.items():
        person, _, channel = name.partition("/")
        if person in known:
            tests[channel].append((float(str(test["at"])), test["result"] in OUT))
    return {channel: (max(at for at, _ in found), all(won for _, won in found)) for channel, found in tests.items()}
