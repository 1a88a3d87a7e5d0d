"""``parvis dashboards``: writes what is committed, and says what is wrong."""

from pathlib import Path

import generated
from click.testing import CliRunner

from dashboards.grafana.command import dashboards


def test_the_command_writes_what_is_committed(tmp_path: Path) -> None:
    done = CliRunner().invoke(dashboards, ["--into", str(tmp_path), "--language", "en"])
    written = {path.name: path.read_text("utf-8") for path in tmp_path.rglob("wifi-*.json")}

    assert done.exit_code == 0, done.output
    assert written == {path.name: path.read_text("utf-8") for path in (generated.FOLDER / "prometheus/en").iterdir()}


def test_the_command_names_dashboards_a_run_before_has_left(tmp_path: Path) -> None:
    CliRunner().invoke(dashboards, ["--into", str(tmp_path)])
    again = CliRunner().invoke(dashboards, ["--into", str(tmp_path)])
    other = CliRunner().invoke(dashboards, ["--into", str(tmp_path), "--datasource", "influx"])
    named = "wifi-ville.json: of a run before this one; Grafana shows it until somebody removes it"

    assert "of a run before" not in again.output
    assert named in other.output
    assert "wifi-borne.json: of a run" not in other.output


def test_the_command_says_what_is_wrong_with_a_town(town_folder: Path, tmp_path: Path) -> None:
    (town_folder / "town.yml").write_text("town: x\n")
    refused = CliRunner().invoke(dashboards, [str(town_folder), "--into", str(tmp_path / "out")])

    assert refused.exit_code == 1
    assert "fault(s)" in refused.output
