"""How the town's access points become simulated devices, and what staff may do to them."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from lab.agents.faults import FAULTS
from lab.agents.model import WEEK_HOURS
from lab.building import _hours, _recording
from lab.commands import lab


def test_a_building_is_open_in_the_hours_it_says() -> None:
    hours = _hours("Mo-Fr 08:30-17:30; Sa 09:00-12:00", "Europe/Paris")

    assert len(hours) == WEEK_HOURS
    assert [hours[hour] for hour in (8, 17, 24 + 12, 24 + 20)] == ["1", "0", "1", "0"]
    assert hours[5 * 24 :].count("1") == 3


def test_a_device_is_what_was_recorded_under_its_name(tmp_path: Path) -> None:
    (tmp_path / "ap-1.walk").write_text("")

    assert _recording(tmp_path, "ap-1") == str(tmp_path / "ap-1.walk")
    assert (_recording(tmp_path, "ap-2"), _recording(None, "ap-1")) == ("", "")


def test_all_faults_are_listed() -> None:
    listed = CliRunner().invoke(lab, ["faults"]).output

    assert [fault for fault in (*FAULTS, "cut-fibre", "flush-nft") if fault not in listed] == []


@pytest.mark.parametrize("option", [["--for", "10m"], ["--value", "3"]])
def test_a_fault_of_the_wiring_has_no_duration(tmp_path: Path, option: list[str]) -> None:
    refused = CliRunner().invoke(lab, ["--dir", str(tmp_path), "fault", "gw-msp", "flush-nft", *option])

    assert refused.exit_code == 2
    assert "neither --for nor --value" in refused.output


def test_an_unknown_fault_is_refused(tmp_path: Path) -> None:
    refused = CliRunner().invoke(lab, ["--dir", str(tmp_path), "fault", "ap-msp-etage", "melt"])

    assert refused.exit_code == 2
    assert "'melt' is not one of" in refused.output
