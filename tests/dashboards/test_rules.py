"""The alert rules: true to the catalogue, accepted by promtool, each firing and silent when it should."""

from pathlib import Path

import promql_parser
import pytest
import yaml
from rule_cases import CASES, NEEDED_SECONDS, OF_PROMETHEUS, SITE, STEPS_SECONDS, TURNED
from rules_judged import (
    expectation,
    judged,
    of_tests,
    parsed,
    promtool,
    rule_called,
    selectors,
    unit_test,
    with_recorded,
)

from dashboards.pace import paced
from dashboards.rules import rules
from parvis.alerts import BESIDE, LADDER, alerts
from parvis.catalogue import metrics
from parvis.inventory import Text, Town
from parvis.recordings import recordings

FOR_SECONDS = {name: alert.for_ for name, alert in alerts().items()}


def test_promtool_accepts_the_rules(town: Town, tmp_path: Path) -> None:
    file = tmp_path / "rules.yml"
    file.write_text(rules(town))
    done = promtool("check", "rules", str(file))

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(parsed(town)) + len(recordings())} rules found" in done.stdout


@pytest.mark.parametrize("name", CASES)
def test_each_alert_fires_after_its_wait_not_before_and_not_without_cause(
    town: Town, tmp_path: Path, name: str
) -> None:
    rule = rule_called(town, name)
    series, values, labels = CASES[name]
    named = series if isinstance(series, dict) else {series: values}
    firing, silent = ({one: text.split("|")[turn] for one, text in named.items()} for turn in (0, 1))
    wait, needed = FOR_SECONDS[name], NEEDED_SECONDS.get(name, 0)
    step = STEPS_SECONDS.get(name, 15)
    late = wait + needed + 2 * step
    tests = [
        unit_test(rule, firing, late, [expectation(rule, labels)], step),
        unit_test(rule, firing, max(0, wait - step), [], step),
        unit_test(rule, silent, max(14_400, late), [], step),
    ]
    (tmp_path / "rules.yml").write_text(with_recorded(rule))
    file = tmp_path / "tests.yml"
    file.write_text(of_tests(tests, step))
    done = promtool("test", "rules", str(file))

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("at", "firing"), [(720, True), (1200, False)])
def test_s31_g26_an_alert_holds_on_a_while_so_that_a_flapping_link_is_one_alert(
    town: Town, tmp_path: Path, at: int, firing: bool
) -> None:
    rule = rule_called(town, "LienCoupe")
    series, _values, labels = CASES["LienCoupe"]
    test = unit_test(rule, {str(series): "0x40 1"}, at, [expectation(rule, labels)] if firing else [])
    (tmp_path / "rules.yml").write_text(rules(town))
    (tmp_path / "tests.yml").write_text(of_tests([test]))

    done = promtool("test", "rules", str(tmp_path / "tests.yml"))
    assert done.returncode == 0, done.stdout + done.stderr


DARK = 'gateway_up{town="cachan", site="leo-lagrange", device="gw-lagrange"}'


@pytest.mark.parametrize(
    ("name", "series", "at", "firing"),
    [
        ("LienCoupe", "0x40 stale _x400", 6000, True),
        ("LienCoupe", "0x40 stale _x200 1x200", 4200, False),
        ("LienCoupe", "0x40 1x4 stale _x400", 1200, False),
        ("PasserelleMuette", "0x40 stale _x400", 6000, True),
        ("CommutateurMuet", "0x40 stale _x400", 6000, True),
        ("CommutateurMuet", "0x40 1x4 stale _x400", 1200, False),
    ],
)
def test_what_stands_is_not_over_because_nobody_can_tell_any_more(
    town: Town, tmp_path: Path, name: str, series: str, at: int, firing: bool
) -> None:
    """Its series is gone: the link before it is cut, or the monitor is; once it was well, it is over all the same."""
    rule = rule_called(town, name)
    one, _values, labels = CASES[name]
    test = unit_test(rule, {str(one): series}, at, [expectation(rule, labels)] if firing else [])

    done = judged(tmp_path, rule, test)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("gateway", "firing"), [("1x40 stale _x400", True), ("1x40 stale _x100 1x300", False)])
def test_a_dead_switch_stands_while_its_site_is_dark_and_no_longer_than_that(
    town: Town, tmp_path: Path, gateway: str, firing: bool
) -> None:
    """It was taken away meanwhile, or its address: nothing is said of it once the site is back."""
    rule = rule_called(town, "CommutateurMuet")
    one, _values, labels = CASES["CommutateurMuet"]
    series = {str(one): "0x40 stale _x400", DARK: gateway}

    done = judged(tmp_path, rule, unit_test(rule, series, 2700, [expectation(rule, labels)] if firing else []))
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_process_that_is_not_heard_over_a_link_that_comes_and_goes_is_not_accused(town: Town, tmp_path: Path) -> None:
    rule = rule_called(town, "ServicePasserelleArrete")
    series = {f'up{{{SITE}, job="portal"}}': "0", TURNED: "0+15"}
    steady = {f'up{{{SITE}, job="portal"}}': "0", TURNED: "0"}
    expected = [expectation(rule, {"job": "portal"})]

    done = judged(tmp_path, rule, unit_test(rule, series, 1200, []), unit_test(rule, steady, 1200, expected))
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_rule_of_a_site_fires_while_work_is_announced_there_or_on_the_device(town: Town, tmp_path: Path) -> None:
    uplink, device = rule_called(town, "LienCoupe"), rule_called(town, "BorneMuette")
    everything, one = f'maintenance_active{{{SITE}, device=""}}', f'maintenance_active{{{SITE}, device="ap-1"}}'
    cut = {f'uplink_up{{{SITE}, uplink="u"}}': "0", f'ap_up{{{SITE}, device="ap-1"}}': "0"}
    cut |= {f'ap_up{{{SITE}, device="ap-2"}}': "0"}
    others = [expectation(uplink, {"uplink": "u"}), expectation(device, {"device": "ap-2"})]
    tests = [unit_test(rule, {**cut, everything: "1", one: "0"}, 1000, []) for rule in (uplink, device)] + [
        unit_test(rule, {**cut, everything: "0", one: "1"}, 1000, [told])
        for rule, told in zip((uplink, device), others, strict=True)
    ]
    (tmp_path / "rules.yml").write_text(rules(town))
    (tmp_path / "tests.yml").write_text(of_tests(tests))

    done = promtool("test", "rules", str(tmp_path / "tests.yml"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_dead_collector_process_fires_even_when_nobody_knows_the_data_age(town: Town, tmp_path: Path) -> None:
    rule = rule_called(town, "CollecteurMuet")
    expected = [expectation(rule, {"job": "collectors"})]
    tests = [unit_test(rule, {'up{job="collectors", town="cachan"}': "0"}, 400, expected)]
    (tmp_path / "rules.yml").write_text(rules(town))
    (tmp_path / "tests.yml").write_text(of_tests(tests))

    done = promtool("test", "rules", str(tmp_path / "tests.yml"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_s15_rates_over_counters_that_began_anew_accuse_no_port(town: Town, tmp_path: Path) -> None:
    """Port 1 counts errors; so does port 2, but its card was changed at 100 150 s, some minutes ago."""
    rule = rule_called(town, "ErreursInterface")
    series = {f'port_receive_errors_total{{{SITE}, device="sw", port="{port}"}}': "0+30" for port in (1, 2)}
    series |= {f'device_uptime_seconds{{{SITE}, device="sw"}}': "100000+15"}
    series |= {f'port_counters_since_seconds{{{SITE}, device="sw", port="2"}}': "100150"}
    expected = [expectation(rule, {"device": "sw", "port": "1"})]
    later = [expectation(rule, {"device": "sw", "port": port}) for port in "12"]

    done = judged(tmp_path, rule, unit_test(rule, series, 1050, expected), unit_test(rule, series, 4000, later))
    assert done.returncode == 0, done.stdout + done.stderr


def test_s36_an_access_point_is_held_against_its_own_week(town: Town, tmp_path: Path) -> None:
    """Nobody on three of them: one had eight a week ago, one never has anybody, for one a controller speaks."""
    rule = rule_called(town, "BorneZombie")
    series = {
        f'wifi_ap_clients{{{SITE}, device="busy"}}': "8x700 0x300",
        f'wifi_ap_clients{{{SITE}, device="store-room"}}': "0",
        f'wifi_ap_clients{{{SITE}, device="as-ever"}}': "8",
        f'wifi_ap_clients{{{SITE}, device="controller", ap="hall"}}': "9x700 0x300",
        f"site_clients{{{SITE}}}": "30",
    }
    expected = [expectation(rule, {"device": "busy"}), expectation(rule, {"device": "controller", "ap": "hall"})]

    done = judged(tmp_path, rule, unit_test(rule, series, 711 * 900, expected, step=900))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_watchdog_always_fires_and_carries_the_second_it_was_made(town: Town, tmp_path: Path) -> None:
    rule = rule_called(town, "Watchdog")
    texts = {**rule["annotations"], "beat": "600.000"}
    expected = [{"exp_labels": rule["labels"], "exp_annotations": texts}]
    tests = [unit_test(rule, {"unrelated": "0"}, 600, expected)]
    (tmp_path / "rules.yml").write_text(rules(town))
    (tmp_path / "tests.yml").write_text(of_tests(tests))

    done = promtool("test", "rules", str(tmp_path / "tests.yml"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_absent_series_accuses_nobody(town: Town, tmp_path: Path) -> None:
    tests = [
        {
            "interval": "15s",
            "input_series": [{"series": 'up{job="monitor"}', "values": "1x240"}],
            "alert_rule_test": [{"eval_time": "55m", "alertname": name, "exp_alerts": []} for name in alerts()],
        }
    ]
    (tmp_path / "rules.yml").write_text(rules(town))
    (tmp_path / "tests.yml").write_text(of_tests(tests))

    done = promtool("test", "rules", str(tmp_path / "tests.yml"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_its_cases() -> None:
    assert set(CASES) == set(alerts())


def test_every_rule_has_all_that_the_one_called_needs(town: Town) -> None:
    for rule in parsed(town):
        assert {"severity", "layer", "town"} <= set(rule["labels"])
        assert {"summary", "impact", "runbook_url", "dashboard_url"} <= set(rule["annotations"])
        assert rule["annotations"]["runbook_url"] == f"/runbooks/{rule['alert']}"
        assert "{" not in rule["annotations"]["impact"]


def test_every_rule_asks_only_for_metrics_that_exist(town: Town) -> None:
    for rule in parsed(town):
        promql_parser.parse(rule["expr"])
        for name in selectors(promql_parser.parse(rule["expr"])):
            assert name in {"up", *OF_PROMETHEUS, *metrics(), *recordings()}, f"{rule['alert']} asks for {name}"
    for one in recordings().values():
        assert selectors(promql_parser.parse(one.expr)) <= set(metrics()), one.name


def test_a_site_of_class_a_calls_at_any_hour_the_others_by_day(town: Town) -> None:
    severity = {
        rule["labels"]["site"]: rule["labels"]["severity"] for rule in parsed(town) if rule["alert"] == "LienCoupe"
    }

    assert severity == {
        "maison-services-publics": "page",
        "service-relation-citoyen": "page",
        "bibliotheque-centrale": "page-jour",
        "leo-lagrange": "page-jour",
    }


def test_what_is_lower_waits_as_long_or_longer_so_that_the_root_speaks_first() -> None:
    """For every pair of which one makes the other silent."""
    early = []
    for source in alerts().values():
        below = LADDER[LADDER.index(source.layer) + 1 :] if source.layer in LADDER else ()
        muted = {*below, *BESIDE.get(source.layer, ())}
        calls = source.severity not in ("ticket", "info")
        targets = (one for one in alerts().values() if calls and one.layer in muted)
        early += [f"{one.name} before {source.name}" for one in targets if one.for_ < source.for_]

    assert early == []


def test_a_new_site_brings_its_own_rules(town: Town) -> None:
    fewer = town.model_copy(update={"sites": town.sites[1:]})
    gone = town.sites[0].site

    assert {rule["labels"].get("site") for rule in parsed(town)} - {
        rule["labels"].get("site") for rule in parsed(fewer)
    } == {gone}


def test_a_title_with_braces_stays_text(town: Town, tmp_path: Path) -> None:
    site = town.sites[0].model_copy(update={"title": Text(fr='{{ query "up" }} {site_title}', en="x")})
    file = tmp_path / "rules.yml"
    file.write_text(rules(town.model_copy(update={"sites": (site,)})))

    assert promtool("check", "rules", str(file)).returncode == 0
    assert (
        '{{ "{{" }} query "up" }}'
        in yaml.safe_load(file.read_text())["groups"][-1]["rules"][0]["annotations"]["summary"]
    )


@pytest.mark.parametrize("pace", [1.0, 0.05, 0.01])
def test_pace_shortens_every_wait_and_nothing_else(town: Town, pace: float) -> None:
    for slow, fast in zip(parsed(town), parsed(town, pace), strict=True):
        if slow["alert"] != "Watchdog":
            assert fast["for"] == paced(FOR_SECONDS[slow["alert"]], pace)
        same = ("alert", "expr", "labels", "annotations")
        assert [slow[key] for key in same] == [fast[key] for key in same]
