"""The alert rules: true to the catalogue, accepted by promtool, each firing and silent when it should."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from dashboards.pace import paced
from dashboards.rules import rules
from parvis.alerts import BESIDE, LADDER, alerts
from parvis.catalogue import metrics
from parvis.inventory import Text, Town

SITE = 'town="cachan", site="leo-lagrange"'
SAMPLES = 1000
"""Of 15 s each: longer than any alert waits."""
NEEDED_SECONDS = {
    "PointsPerdus": 15,
    "PortailBudgetRapide": 60,
    "PortailBudgetLent": 120,
    "PortailErreursFaibleVolume": 900,
    "EntonnoirCasse": 300,
    "LienInstable": 90,
    "LienSature": 600,
    "ErreursInterface": 600,
    "BorneRedemarre": 120,
}
"""What must have happened before there is something to wait for."""
FOR_SECONDS = {name: alert.for_ for name, alert in alerts().items()}

OF_PROMETHEUS = ("prometheus_rule_evaluation_failures_total",)
Case = tuple[str | dict[str, str], str, dict[str, str]]
CASES: dict[str, Case] = {
    # alert: (series, values that fire / that do not, as "firing|silent"; labels of the firing alert beside the rule's)
    # or several series, each with its values
    "SupervisionIsolee": ('monitor_isolated{town="cachan"}', "1|0", {}),
    "LienCoupe": (f'uplink_up{{{SITE}, uplink="fibre-lagrange"}}', "0|1", {"uplink": "fibre-lagrange"}),
    "PasserelleMuette": (f'gateway_up{{{SITE}, device="gw-lagrange"}}', "0|1", {"device": "gw-lagrange"}),
    "CommutateurMuet": (f'switch_up{{{SITE}, device="sw-lagrange"}}', "0|1", {"device": "sw-lagrange"}),
    "BorneMuette": (f'ap_up{{{SITE}, device="ap-lagrange-tribune"}}', "0|1", {"device": "ap-lagrange-tribune"}),
    "CollecteurMuet": ('snmp_data_age_seconds{town="cachan"}', "301|300", {}),
    "MoniteurMuet": ('up{job="monitor", town="cachan"}', "0|1", {"job": "monitor"}),
    "CertificatBientotFini": (f"portal_certificate_remaining_seconds{{{SITE}}}", "1209599|1209600", {}),
    "AdressesPresqueEpuisees": (f"gateway_pool_used_ratio{{{SITE}}}", "0.91|0.9", {}),
    "VilleCoupee": (
        {
            'uplink_up{site="a"}': "0|0",
            'uplink_up{site="b"}': "0|1",
            'uplink_up{site="c"}': "1|1",
        },
        "",
        {},
    ),
    "CollecteMassiveEnEchec": (
        {f'snmp_up{{device="{n}"}}': "0|1" if n < 3 else "1|1" for n in range(5)} | {'uplink_up{site="a"}': "1|1"},
        "",
        {},
    ),
    "ReglesEnErreur": ("prometheus_rule_evaluation_failures_total", "0+1|0", {}),
    "InfluxMuet": ("influx_up", "0|1", {}),
    "PointsPerdus": ('influx_lines_total{outcome="dropped"}', "0+5|7", {}),
    "ServicePasserelleArrete": (f'up{{{SITE}, job="portal"}}', "0|1", {"job": "portal"}),
    "PareFeuAbsent": (f"gateway_ruleset_up{{{SITE}}}", "0|1", {}),
    "PortailSansPasserelle": (f"portal_gateway_up{{{SITE}}}", "0|1", {}),
    "BailsIllisibles": (f"gateway_lease_file_up{{{SITE}}}", "0|1", {}),
    "BasePartageeMuette": (f"portal_shared_up{{{SITE}}}", "0|1", {}),
    "PortailBudgetRapide": (
        {'portal_http_responses_total{code="2xx"}': "0+50|0+50", 'portal_http_responses_total{code="5xx"}': "0+10|0+7"},
        "",
        {},
    ),
    "PortailBudgetLent": (
        {'portal_http_responses_total{code="2xx"}': "0+60|0+98", 'portal_http_responses_total{code="5xx"}': "0+2|0+2"},
        "",
        {},
    ),
    "PortailErreursFaibleVolume": (
        {'portal_errors_total{reason="store"}': "0+1|0+1", 'portal_http_responses_total{code="5xx"}': "0+1|0+9"},
        "",
        {},
    ),
    "EntonnoirCasse": (
        {
            f'portal_funnel_total{{{SITE}, step="accepted"}}': "0+1|0+1",
            f'portal_funnel_total{{{SITE}, step="first-byte"}}': "0+0.5|0+0.8",
        },
        "",
        {},
    ),
    "AdressesEpuisees": (f"gateway_pool_used_ratio{{{SITE}}}", "0.99|0.98", {}),
    "CertificatExpire": (f"portal_certificate_remaining_seconds{{{SITE}}}", "259199|259200", {}),
    "AppareilVuDeuxFois": (f"gateway_seen_twice_total{{{SITE}}}", "0+1|3", {}),
    "LienDegrade": (
        f'icmp_loss_ratio{{{SITE}, kind="uplink", target="fibre-lagrange"}}',
        "0.06|0.05",
        {"kind": "uplink", "target": "fibre-lagrange"},
    ),
    "LienInstable": (
        f'uplink_up{{{SITE}, uplink="fibre-lagrange"}}',
        "0 1 0 1 0 1 0 1|1",
        {"uplink": "fibre-lagrange"},
    ),
    "LienSature": (
        f'port_receive_bytes_total{{{SITE}, device="sw-lagrange", port="25"}}',
        "0+900000000|0+800000000",
        {"device": "sw-lagrange", "port": "25"},
    ),
    "ErreursInterface": (
        f'port_receive_errors_total{{{SITE}, device="sw-lagrange", port="25"}}',
        "0+2|0+1",
        {"device": "sw-lagrange", "port": "25"},
    ),
    "BudgetPoE": (
        {
            f'poe_consumption_watts{{{SITE}, device="sw-lagrange", group="1"}}': "91|90",
            f'poe_budget_watts{{{SITE}, device="sw-lagrange", group="1"}}': "100|100",
        },
        "",
        {"device": "sw-lagrange", "group": "1"},
    ),
    "SitePresqueSansBorne": (
        {
            f'ap_up{{{SITE}, device="a"}}': "0|0",
            f'ap_up{{{SITE}, device="b"}}': "0|1",
            f'ap_up{{{SITE}, device="c"}}': "1|1",
        },
        "",
        {},
    ),
    "BorneRedemarre": (
        f'device_uptime_seconds{{{SITE}, device="ap-lagrange-tribune"}}',
        "9 1 9 1 9 1 9 1|0+15",
        {"device": "ap-lagrange-tribune"},
    ),
    "BorneZombie": (
        {f'wifi_clients{{{SITE}, device="ap-1", ap=""}}': "0|1", f"site_clients{{{SITE}}}": "21|30"},
        "",
        {"device": "ap-1"},
    ),
    "AirSature": (
        f'wifi_radio_channel_utilization_ratio{{{SITE}, device="ap-1", radio="r0", band="5", part="total"}}',
        "0.81|0.8",
        {"device": "ap-1", "radio": "r0", "band": "5", "part": "total"},
    ),
    "MargeOptiqueFaible": (
        f'optical_margin_db{{{SITE}, device="sw-lagrange", port="25", which="rx_low_warn"}}',
        "-0.1|0",
        {"device": "sw-lagrange", "port": "25", "which": "rx_low_warn"},
    ),
    "DeriveOptique": (
        f'optical_drift_db{{{SITE}, device="sw-lagrange", port="25", direction="rx"}}',
        "-3.1|-3",
        {"device": "sw-lagrange", "port": "25", "direction": "rx"},
    ),
    "FinDeMargePrevue": (
        f'optical_low_warning_remaining_seconds{{{SITE}, device="sw-lagrange", port="25"}}',
        "2591999|2592000",
        {"device": "sw-lagrange", "port": "25"},
    ),
    "ModuleChaud": (
        f'optical_temperature_celsius{{{SITE}, device="sw-lagrange", port="25"}}',
        "71|70",
        {"device": "sw-lagrange", "port": "25"},
    ),
    "VisiteurTestEnEchec": (f"visitor_success{{{SITE}}}", "0|1", {}),
    "VisiteurTestMuet": (f"visitor_last_report_timestamp_seconds{{{SITE}}}", "-1000|99999", {}),
    "EquipementIndesirable": (
        f'guest_hazard_devices{{{SITE}, hazard="rogue-dhcp"}}',
        "1|0",
        {"hazard": "rogue-dhcp"},
    ),
    "SupervisionAveugle": (
        f'reachability_state{{{SITE}, subject="fibre-lagrange", kind="uplink", state="unknown"}}',
        "1|0",
        {},
    ),
}


def parsed(town: Town, pace: float = 1.0) -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(rules(town, pace))["groups"] for rule in group["rules"]]


def rule_called(town: Town, name: str) -> dict[str, Any]:
    """The rule of that name for the site of the cases, or for the town."""
    found = [rule for rule in parsed(town) if rule["alert"] == name]
    return next((rule for rule in found if rule["labels"].get("site") == "leo-lagrange"), found[0])


def promtool(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", *words], capture_output=True, text=True, timeout=60, check=False)


def test_promtool_accepts_the_rules(town: Town, tmp_path: Path) -> None:
    file = tmp_path / "rules.yml"
    file.write_text(rules(town))
    done = promtool("check", "rules", str(file))

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(parsed(town))} rules found" in done.stdout


def expectation(rule: dict[str, Any], labels: dict[str, str]) -> dict[str, Any]:
    texts = dict(rule["annotations"])
    for label in ("device", "hazard", "job", "port", "band"):
        texts = {key: text.replace(f"{{{{ $labels.{label} }}}}", labels.get(label, "")) for key, text in texts.items()}
    return {"exp_labels": {**rule["labels"], **labels}, "exp_annotations": texts}


def unit_test(rule: dict[str, Any], series: Mapping[str, str], at: float, expected: list[dict[str, Any]]) -> Any:
    return {
        "interval": "15s",
        "input_series": [{"series": name, "values": f"{values}x{SAMPLES}"} for name, values in series.items()],
        "alert_rule_test": [{"eval_time": f"{at:.0f}s", "alertname": rule["alert"], "exp_alerts": expected}],
    }


@pytest.mark.parametrize("name", CASES)
def test_each_alert_fires_after_its_wait_not_before_and_not_without_cause(
    town: Town, tmp_path: Path, name: str
) -> None:
    rule = rule_called(town, name)
    series, values, labels = CASES[name]
    named = series if isinstance(series, dict) else {series: values}
    firing, silent = ({one: text.split("|")[turn] for one, text in named.items()} for turn in (0, 1))
    wait, needed = FOR_SECONDS[name], NEEDED_SECONDS.get(name, 0)
    tests = [
        unit_test(rule, firing, wait + needed + 30, [expectation(rule, labels)]),
        unit_test(rule, firing, wait - 15, []),
        unit_test(rule, silent, 14_400, []),
    ]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "this one", "rules": [rule]}]}))
    file = tmp_path / "tests.yml"
    file.write_text(yaml.safe_dump({"rule_files": ["rules.yml"], "evaluation_interval": "15s", "tests": tests}))
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
    (tmp_path / "tests.yml").write_text(yaml.safe_dump({"rule_files": ["rules.yml"], "tests": [test]}))

    done = promtool("test", "rules", str(tmp_path / "tests.yml"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_dead_collector_process_fires_even_when_nobody_knows_the_data_age(town: Town, tmp_path: Path) -> None:
    rule = rule_called(town, "CollecteurMuet")
    expected = [expectation(rule, {"job": "collectors"})]
    tests = [unit_test(rule, {'up{job="collectors", town="cachan"}': "0"}, 400, expected)]
    (tmp_path / "rules.yml").write_text(rules(town))
    (tmp_path / "tests.yml").write_text(yaml.safe_dump({"rule_files": ["rules.yml"], "tests": tests}))

    done = promtool("test", "rules", str(tmp_path / "tests.yml"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_watchdog_always_fires_and_carries_the_second_it_was_made(town: Town, tmp_path: Path) -> None:
    rule = rule_called(town, "Watchdog")
    texts = {**rule["annotations"], "beat": "600.000"}
    expected = [{"exp_labels": rule["labels"], "exp_annotations": texts}]
    tests = [unit_test(rule, {"unrelated": "0"}, 600, expected)]
    (tmp_path / "rules.yml").write_text(rules(town))
    (tmp_path / "tests.yml").write_text(yaml.safe_dump({"rule_files": ["rules.yml"], "tests": tests}))

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
    (tmp_path / "tests.yml").write_text(yaml.safe_dump({"rule_files": ["rules.yml"], "tests": tests}))

    done = promtool("test", "rules", str(tmp_path / "tests.yml"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_its_cases() -> None:
    assert set(CASES) == set(alerts())


def test_every_rule_has_all_that_the_one_called_needs(town: Town) -> None:
    for rule in parsed(town):
        assert {"severity", "layer", "town"} <= set(rule["labels"])
        assert {"summary", "impact", "runbook_url", "dashboard_url"} <= set(rule["annotations"])
        assert rule["annotations"]["runbook_url"] == f"docs/06-runbooks.md#{rule['alert'].lower()}"
        assert "{" not in rule["annotations"]["impact"]


def test_every_rule_asks_only_for_metrics_that_exist(town: Town) -> None:
    for rule in parsed(town):
        promql_parser.parse(rule["expr"])
        for name in selectors(promql_parser.parse(rule["expr"])):
            assert name in {"up", *OF_PROMETHEUS} or name in metrics(), f"{rule['alert']} asks for {name}"


def selectors(node: Any) -> set[str]:
    """The metric names in a PromQL expression."""
    if isinstance(node, promql_parser.VectorSelector):
        return {node.name}
    found: set[str] = set()
    for part in ("lhs", "rhs", "expr"):
        if (child := getattr(node, part, None)) is not None:
            found |= selectors(child)
    for child in getattr(node, "args", ()) or ():
        found |= selectors(child)
    return found


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
        calls = source.severity != "ticket"
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
        in yaml.safe_load(file.read_text())["groups"][1]["rules"][0]["annotations"]["summary"]
    )


@pytest.mark.parametrize("pace", [1.0, 0.05, 0.01])
def test_pace_shortens_every_wait_and_nothing_else(town: Town, pace: float) -> None:
    for slow, fast in zip(parsed(town), parsed(town, pace), strict=True):
        if slow["alert"] != "Watchdog":
            assert fast["for"] == paced(FOR_SECONDS[slow["alert"]], pace)
        same = ("alert", "expr", "labels", "annotations")
        assert [slow[key] for key in same] == [fast[key] for key in same]
