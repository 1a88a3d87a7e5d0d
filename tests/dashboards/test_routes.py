"""Scrape targets and routes: accepted by promtool and amtool, and leading where they should."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from dashboards.alertmanager import alertmanager
from dashboards.commands import rules as rules_command
from dashboards.outputs import outputs
from dashboards.prometheus import RESEND_SECONDS, prometheus
from parvis.alerts import LADDER, alerts
from parvis.inventory import Town
from parvis.processes import ALL


@pytest.fixture(params=[1.0, 0.05, 0.01])
def folder(request: pytest.FixtureRequest, town: Town, tmp_path: Path) -> Path:
    """The files of the centre, at several paces."""
    for name, text in outputs(town, request.param).items():
        (tmp_path / Path(name).name).write_text(text)
    return tmp_path


def tool(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)


def test_promtool_accepts_the_configuration_and_finds_the_rules_beside_it(folder: Path) -> None:
    done = tool("promtool", "check", "config", str(folder / "prometheus.yml"))

    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 rule files found" in done.stdout


def test_amtool_accepts_the_routes(folder: Path) -> None:
    done = tool("amtool", "check-config", str(folder / "alertmanager.yml"))

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        ("alertname=LienCoupe severity=page town=cachan site=leo-lagrange", "on-call"),
        ("alertname=CommutateurMuet severity=page-jour town=cachan site=leo-lagrange", "on-call"),
        ("alertname=BorneMuette severity=ticket town=cachan site=leo-lagrange", "tickets"),
        ("alertname=CoupureSecteur severity=page layer=power town=cachan site=leo-lagrange", "on-call"),
        ("alertname=RadarDFS severity=info town=cachan site=leo-lagrange", "notes"),
        ("alertname=Watchdog severity=none town=cachan", "beat"),
        ("alertname=Inconnue", "tickets"),
    ],
)
def test_each_severity_goes_its_way(folder: Path, labels: str, receiver: str) -> None:
    file = f"--config.file={folder / 'alertmanager.yml'}"
    done = tool("amtool", "config", "routes", "test", file, f"--verify.receivers={receiver}", *labels.split())

    assert done.returncode == 0, done.stdout + done.stderr


def inhibitions(town: Town) -> list[dict[str, Any]]:
    return list(yaml.safe_load(alertmanager(town))["inhibit_rules"])


def test_g25_every_rung_makes_all_lower_ones_silent_and_none_above(town: Town) -> None:
    for rung, rule in enumerate(inhibitions(town)[: len(LADDER) - 1]):
        targets = rule["target_matchers"][0].removeprefix('layer=~"').removesuffix('"').split("|")
        assert rule["source_matchers"][0] == f'layer="{LADDER[rung]}"'
        assert [layer for layer in targets if layer in LADDER] == list(LADDER[rung + 1 :])


def test_no_inhibition_reaches_across_sites_or_turns_on_itself_and_none_is_written_twice(town: Town) -> None:
    """What amlint finds wrong, and amtool lets pass."""
    seen = []
    for rule in inhibitions(town):
        layer = rule["source_matchers"][0].removeprefix('layer="').removesuffix('"')
        targets = rule["target_matchers"][0].removeprefix('layer=~"').removesuffix('"').split("|")
        assert set(rule["equal"]) <= {"town", "site"}
        assert "town" in rule["equal"]
        assert layer not in targets
        assert set(targets) <= {alert.layer for alert in alerts().values()}, "each target layer has an alert"
        seen.append(layer)
    assert len(set(seen)) == len(seen)
    assert set(seen) <= {alert.layer for alert in alerts().values()}, "each source layer has an alert"


def test_every_receiver_is_led_to_and_no_route_stands_behind_one_that_takes_all(town: Town) -> None:
    config = yaml.safe_load(alertmanager(town))
    routes = config["route"]["routes"]

    assert {config["route"]["receiver"], *(route["receiver"] for route in routes)} == {
        receiver["name"] for receiver in config["receivers"]
    }
    assert all(route["matchers"] for route in routes)
    assert len({str(route["matchers"]) for route in routes}) == len(routes)


def test_below_the_town_a_rung_is_silent_only_at_its_own_site(town: Town) -> None:
    assert [rule["equal"] for rule in inhibitions(town)] == [
        ["town"],
        *[["town", "site"]] * len(LADDER[2:]),
        ["town"],
        ["town", "site"],
    ]


def test_groups_are_towns_and_sites(town: Town) -> None:
    assert yaml.safe_load(alertmanager(town))["route"]["group_by"] == ["town", "site"]


def jobs(town: Town) -> dict[str, list[dict[str, Any]]]:
    return {job["job_name"]: job["static_configs"] for job in yaml.safe_load(prometheus(town))["scrape_configs"]}


def test_every_process_of_ours_is_scraped_and_the_two_servers_too(town: Town) -> None:
    assert set(jobs(town)) == {process.name for process in ALL} | {"prometheus", "alertmanager"}


@pytest.mark.parametrize("process", [process for process in ALL if process.place == "gateway"])
def test_each_site_has_its_gateway_processes_named_by_the_inventory(town: Town, process: Any) -> None:
    assert jobs(town)[process.name] == [
        {
            "targets": [f"{site.gateway.address}:{process.port}"],
            "labels": {"town": "cachan", "site": site.site, "device": site.gateway.name},
        }
        for site in town.sites
    ]


def test_no_page_is_read_without_end(town: Town) -> None:
    listed = yaml.safe_load(prometheus(town))["scrape_configs"]

    assert [job["job_name"] for job in listed if job.get("body_size_limit") != "64MB"] == []


def test_the_centre_keeps_the_labels_its_processes_write(town: Town) -> None:
    listed = yaml.safe_load(prometheus(town))["scrape_configs"]

    assert {job["job_name"] for job in listed if job.get("honor_labels")} == {
        "collectors",
        "monitor",
        "console",
        "archive",
        "prometheus",
        "alertmanager",
    }


def test_a_beat_is_never_older_than_the_monitor_believes(town: Town) -> None:
    """The monitor believes all-clears while the beat is younger than 2.5 times the resend delay."""
    route = yaml.safe_load(alertmanager(town))["route"]["routes"][0]
    longest = sum(int(route[key].removesuffix("s")) for key in ("group_interval", "repeat_interval"))

    assert RESEND_SECONDS + longest < 2.5 * RESEND_SECONDS


def test_the_command_writes_every_file(tmp_path: Path) -> None:
    done = CliRunner().invoke(rules_command, ["--into", str(tmp_path / "made"), "--pace", "0.1"])

    assert done.exit_code == 0, done.output
    assert {path.name for path in (tmp_path / "made").iterdir()} == {
        "prometheus.yml",
        "prometheus.args",
        "rules.yml",
        "alertmanager.yml",
        "alertmanager.args",
    }
    assert "--rules.alert.resend-delay=6s" in (tmp_path / "made" / "prometheus.args").read_text()


def test_the_command_tells_the_faults_of_a_broken_town(town_folder: Path, tmp_path: Path) -> None:
    (town_folder / "town.yml").write_text("town: [")
    done = CliRunner().invoke(rules_command, ["--into", str(tmp_path / "made"), str(town_folder)])

    assert done.exit_code == 1
    assert "town.yml" in done.output
    assert not (tmp_path / "made").exists()
