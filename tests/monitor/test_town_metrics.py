"""What dashboards draw beside the measurements: the contract's rate, the opening hours, the verdict, the duty."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from monitor.duty import Duty
from monitor.findings import judge
from monitor.instruments import MonitorMetrics
from monitor.observations import Outcome
from monitor.settings import MonitorSettings
from monitor.sites import VERDICTS, views
from monitor.targets import targets
from monitor.town_metrics import show_town
from parvis.inventory import Town

PARIS = ZoneInfo("Europe/Paris")
SITE = "bibliotheque-centrale"
WORDS = Path(__file__).parents[2] / "monitor/web/words.yml"


@pytest.fixture
def metrics(town: Town) -> MonitorMetrics:
    return MonitorMetrics(town.town)


def test_the_contract_stands_beside_the_measurements(town: Town, metrics: MonitorMetrics) -> None:
    show_town(town, metrics)
    where = {"town": "cachan", "site": SITE, "uplink": "fibre-biblio"}

    value = metrics.registry.get_sample_value
    assert value("uplink_capacity_bits_per_second", {**where, "device": "sw-biblio", "port": "25"}) == 500e6
    assert value("uplink_contract_info", {**where, "operator": "Opérateur B", "contract": "FTTH-PRO-2023-007"}) == 1
    assert value("site_location_info", {"town": "cachan", "site": SITE, "latitude": "48.7925", "longitude": "2.3312"})


def test_what_the_contract_promises_and_costs_is_shown_where_known(town: Town, metrics: MonitorMetrics) -> None:
    show_town(town, metrics)
    dear = {"town": "cachan", "site": "maison-services-publics", "uplink": "fibre-msp"}
    cheap = {"town": "cachan", "site": SITE, "uplink": "fibre-biblio"}

    value = metrics.registry.get_sample_value
    assert value("uplink_promised_availability_ratio", {**dear, "period": "year"}) == 0.9985
    assert value("uplink_promised_repair_seconds", dear) == 4 * 3600
    assert value("uplink_monthly_fee_euros", dear) == 390
    assert value("uplink_promised_repair_seconds", cheap) == 10 * 3600
    assert value("uplink_promised_availability_ratio", {**cheap, "period": "year"}) is None, "it promises none"


def test_cgu13_a_missing_pictogram_is_a_figure_until_it_is_there(town: Town, metrics: MonitorMetrics) -> None:
    bare = town.site(SITE).model_copy(update={"pictogram": None})
    sites = tuple(bare if site.site == SITE else site for site in town.sites)
    value = metrics.registry.get_sample_value
    where = {"town": "cachan", "site": SITE, "duty": "pictogram"}

    show_town(town.model_copy(update={"sites": sites}), metrics)
    assert value("site_to_do", where) == 1
    assert value("site_to_do", {**where, "site": "leo-lagrange"}) == 0
    assert value("site_to_do", {**where, "duty": "location"}) == 0

    show_town(town, metrics)
    assert value("site_to_do", where) == 0


def test_one_verdict_on_each_site_is_in_force(town: Town, metrics: MonitorMetrics) -> None:
    outcomes = [Outcome(each.name, each.name != "fibre-biblio") for each in targets(town)]
    findings = judge(town, outcomes, [], [], 0.0)
    for round_number in (1, 2, 3):
        findings = judge(town, outcomes, [], findings, float(round_number))
    metrics.show(findings, views(town, findings, []), None)

    in_force = {
        (sample.labels["site"], sample.labels["verdict"])
        for family in metrics.registry.collect()
        if family.name == "site_verdict"
        for sample in family.samples
        if sample.value
    }
    assert in_force == {(site.site, "uplink-cut" if site.site == SITE else "all-well") for site in town.sites}


def test_every_verdict_has_its_sentence() -> None:
    words = yaml.safe_load(WORDS.read_text("utf-8"))

    assert [f"verdict-{verdict}" for verdict in VERDICTS] == [key for key in words if key.startswith("verdict-")]


def test_who_is_on_call_and_how_long_is_told(town: Town, metrics: MonitorMetrics, tmp_path: Path) -> None:
    at = datetime(2026, 1, 12, 7, 0, tzinfo=PARIS).timestamp()
    duty = Duty(town, MonitorSettings(state=tmp_path), metrics, lambda: at)
    duty.show()

    value = metrics.registry.get_sample_value
    assert value("oncall_duty_info", {"level": "1", "person": "agent-1"}) == 1
    assert value("oncall_turn_remaining_seconds", {"level": "1"}) == 3600
    assert value("oncall_next_info", {"level": "1", "person": "agent-2"}) == 1
    assert value("oncall_incidents", {"state": "open"}) == 0
