"""What Prometheus works out now and then for alerts that look back over days: cheap, and no less true."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from panel_answers import Filled
from rule_cases import SITE
from rules_judged import expectation, judged, of_tests, parsed, promtool, rule_called, unit_test

from dashboards.pace import paced
from dashboards.rules import recorded, rules
from parvis.inventory import Town
from parvis.recordings import recordings

SUPPLY = "AlimentationEnPanne"
UP, WORKED = "device_power_supply_up", "device_power_supply_up:max30d"
LONGEST_SECONDS = 6 * 3600
"""What an alert may read itself, each time it is judged."""
ONE_SERIES = {"SeriesDisparues"}
"""It looks back a day at one series, that of the whole town."""
PACE = 0.002
DAY = 86_400


def test_s25_a_supply_that_was_never_plugged_in_accuses_nobody_one_that_failed_is_told_for_a_month(
    town: Town, tmp_path: Path
) -> None:
    """A spare one without mains says for ever what a dead one says; that it has worked tells which it is."""
    rule = rule_called(town, "AlimentationEnPanne")
    series = {
        f'device_power_supply_up{{{SITE}, device="sw", supply="spare"}}': "0x900",
        f'device_power_supply_up{{{SITE}, device="sw", supply="dead"}}': "1x10 0x889",
        f'device_power_supply_up{{{SITE}, device="sw", supply="absent"}}': "1x10 _x889",
        f'device_power_supply_up{{{SITE}, device="sw", supply="well"}}': "1x900",
    }
    expected = [expectation(rule, {"device": "sw", "supply": "dead"})]

    early = unit_test(rule, series, 12 * 3600, expected, step=3600)
    late = unit_test(rule, series, 29 * 86_400, expected, step=3600)
    over = unit_test(rule, series, 32 * 86_400, [], step=3600)
    done = judged(tmp_path, rule, early, late, over)
    assert done.returncode == 0, done.stdout + done.stderr


def test_s25_a_supply_that_failed_while_prometheus_was_away_is_told_when_it_is_back(town: Town, tmp_path: Path) -> None:
    """For thirty hours nothing was scraped, nor recorded; what was known before that counts all the same."""
    rule = rule_called(town, SUPPLY)
    series = {
        f'{UP}{{{SITE}, device="sw", supply="dead"}}': "1x10 _x29 0x99",
        f'{UP}{{{SITE}, device="sw", supply="spare"}}': "0x10 _x29 0x99",
        f'{UP}{{{SITE}, device="sw", supply="well"}}': "1x10 _x29 1x99",
    }
    told = [expectation(rule, {"device": "sw", "supply": "dead"})]

    away = unit_test(rule, series, 39 * 3600, [], step=3600)
    back = unit_test(rule, series, 41 * 3600, told, step=3600)
    done = judged(tmp_path, rule, away, back)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("at", "stands"), [(600, False), (1800, True), (3500, True), (3700, False)])
def test_what_was_recorded_holds_till_it_is_recorded_again_and_over_a_restart_but_not_for_ever(
    town: Town, tmp_path: Path, at: int, stands: bool
) -> None:
    """Recorded once, at the beginning; judged every fifteen seconds. The first ten minutes the alert waits."""
    rule = rule_called(town, SUPPLY)
    supply = f'{SITE}, device="sw", supply="dead"'
    told = [expectation(rule, {"device": "sw", "supply": "dead"})] if stands else []
    test = unit_test(rule, {f"{WORKED}{{{supply}}}": "1 _x300", f"{UP}{{{supply}}}": "0x300"}, at, told)
    rule["keep_firing_for"] = "0s"
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "alone", "rules": [rule]}]}))
    (tmp_path / "tests.yml").write_text(of_tests([test], 15))

    done = promtool("test", "rules", str(tmp_path / "tests.yml"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_alert_reads_days_of_samples_each_time_it_is_judged(town: Town) -> None:
    long = {
        rule["alert"]
        for rule in parsed(town)
        for name, back in looks_back(promql_parser.parse(rule["expr"]))
        if back > LONGEST_SECONDS and name not in recordings()
    }

    assert long == ONE_SERIES, "let Prometheus work it out now and then: parvis/recordings.yml"


def test_what_is_recorded_is_asked_for_over_three_intervals_or_more(town: Town) -> None:
    """One may be late, one may fall into a restart; and an instant selector would look back five minutes only."""
    asked: set[str] = set()
    for rule in parsed(town):
        within = {name: back for name, back in looks_back(promql_parser.parse(rule["expr"])) if name in recordings()}
        for name in re.findall(r"[a-z_0-9]+:[a-z_0-9]+", rule["expr"]):
            if name in recordings():
                assert within[name] >= 3 * recordings()[name].every, f"{rule['alert']} asks for {name}"
                asked.add(name)

    assert asked == set(recordings())


@pytest.mark.parametrize("pace", [1.0, 0.01])
def test_what_is_recorded_has_intervals_of_its_own(town: Town, pace: float) -> None:
    groups = yaml.safe_load(rules(town, pace))["groups"]
    interval = {rule["record"]: group["interval"] for group in groups for rule in group["rules"] if "record" in rule}

    assert interval == {one.name: paced(one.every, pace, 0.5) for one in recordings().values()}
    assert [group["name"] for group in groups if "interval" in group] == [group["name"] for group in recorded()]


def looks_back(node: Any, over: float = 0.0) -> Iterator[tuple[str, float]]:
    """How far each selector of an expression reaches back, in seconds."""
    if isinstance(node, promql_parser.VectorSelector):
        yield node.name, over
    elif isinstance(node, promql_parser.MatrixSelector):
        yield from looks_back(node.vector_selector, over + node.range.total_seconds())
    elif isinstance(node, promql_parser.SubqueryExpr):
        yield from looks_back(node.expr, over + node.range.total_seconds())
    else:
        children = [getattr(node, part, None) for part in ("lhs", "rhs", "expr")]
        for child in (*children, *(getattr(node, "args", ()) or ())):
            if child is not None:
                yield from looks_back(child, over)


def lines(now: float) -> Iterator[str]:
    """Of a supply that worked for some hours three weeks ago and is dead now, and of one that never had mains."""
    for supply, worked in (("dead", 1), ("spare", 0)):
        labels = f'{{town="cachan",site="leo-lagrange",device="sw",supply="{supply}"}}'
        for begin, end, value in ((now - 21 * DAY, now - 21 * DAY + 4 * 3600, worked), (now - 1800, now, 0)):
            yield from (f"{UP}{labels} {value} {at}" for at in range(int(begin), int(end) + 1, 60))


def until(true: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if found := true():
            return found
        time.sleep(0.1)
    pytest.fail(f"not within a minute: {what}")


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_s25_a_real_prometheus_tells_of_a_dead_supply_before_and_after_it_was_killed(
    town: Town, tmp_path: Path
) -> None:
    (tmp_path / "rules.yml").write_text(rules(town, PACE))
    config = "global: {evaluation_interval: 500ms}\nrule_files: [rules.yml]\n"
    Filled(tmp_path).fill("supplies", lines(time.time()))
    for _ in range(2):
        prometheus = Filled(tmp_path, config)
        with prometheus:

            def firing(asked: Filled = prometheus) -> set[str]:
                rows = asked.ask("query", query=f'ALERTS{{alertname="{SUPPLY}",alertstate="firing"}}', _=time.time())
                return {row["metric"]["supply"] for row in rows["result"]}

            assert until(firing, "the dead supply is told") == {"dead"}
            groups = {group["name"]: group["interval"] for group in prometheus.ask("rules")["groups"]}
            assert groups["recorded every 10m"] == pytest.approx(600 * PACE)
