"""What roles/grafana gives Grafana: the town's dashboards, drawn again only when they differ."""

import os
import subprocess
import sys
from pathlib import Path

from ansible.plugins.filter.core import FilterModule
from jinja2 import Environment, StrictUndefined

from parvis.inventory import DEMO_TOWN
from tests_support import Edit

ROLE = Path(__file__).parents[2] / "ansible" / "roles" / "grafana"
BIN = Path(sys.executable).parent


def draw(place: Path, town: Path, source: str = "prometheus") -> str:
    words = [ROLE / "files" / "dashboards.sh", place, "fr", source, town]
    path = {"PATH": f"{BIN}:{os.environ['PATH']}"}
    done = subprocess.run(words, capture_output=True, text=True, timeout=100, check=False, env=os.environ | path)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_dashboards_are_drawn_once_and_again_when_the_town_has_changed(
    tmp_path: Path, town_folder: Path, edit: Edit
) -> None:
    place = tmp_path / "etc" / "parvis"

    assert "drawn anew" in draw(place, DEMO_TOWN)
    assert draw(place, DEMO_TOWN) == ""
    assert f"path: {place}/dashboards" in (place / "provisioning/dashboards/parvis.yml").read_text()
    edit("town.yml", "timezone: Europe/Paris", "timezone: Europe/Lisbon")
    (place / "dashboards" / "stray.json").touch()
    assert "drawn anew" in draw(place, town_folder)
    assert not (place / "dashboards" / "stray.json").exists()


def rendered(name: str, **facts: object) -> str:
    environment = Environment(undefined=StrictUndefined, autoescape=False, trim_blocks=True)
    environment.filters.update(FilterModule().filters())
    return environment.from_string((ROLE / "templates" / name).read_text()).render(**facts)


def test_a_password_reaches_grafana_as_it_was_written() -> None:
    own = {"GF_SECURITY_ADMIN_PASSWORD": 'l\'été "à" 20 € $x'}
    text = rendered("grafana.env.j2", grafana_environment=own, grafana_datasource="prometheus")

    assert text == 'GF_SECURITY_ADMIN_PASSWORD="l\'été \\"à\\" 20 € $x"\n'


def test_grafana_reads_the_influxdb_the_collectors_write_to_with_a_token_of_its_own() -> None:
    facts = {"influx_url": "https://influx.example:8086", "influx_org": "Ville", "influx_bucket": "wifi"}
    secrets = {"influx-token": "writes", "influx-read-token": "reads"}
    told = {"grafana_environment": {}, "grafana_datasource": "influx", "parvis_secrets": secrets}

    text = rendered("grafana.env.j2", **facts, **told)

    assert text.splitlines() == [
        'PARVIS_INFLUX_BUCKET="wifi"',
        'PARVIS_INFLUX_ORG="Ville"',
        'PARVIS_INFLUX_TOKEN="reads"',
        'PARVIS_INFLUX_URL="https://influx.example:8086"',
    ]
    another = rendered("grafana.env.j2", **facts, **{**told, "grafana_environment": {"PARVIS_INFLUX_TOKEN": "x"}})
    assert 'PARVIS_INFLUX_TOKEN="x"' in another


def test_grafana_answers_on_the_machine_alone_and_calls_nobody() -> None:
    text = rendered("grafana.conf.j2", parvis_address="10.90.0.1", parvis_ports={"grafana": 3000})

    told = dict(word.split("=", 1) for line in text.splitlines() if line.startswith("Environment=")
                for word in line.removeprefix("Environment=").split())  # fmt: skip

    assert told["GF_SERVER_HTTP_ADDR"] == "127.0.0.1"
    assert {told[name] for name in told if name.startswith(("GF_ANALYTICS", "GF_NEWS"))} == {"false"}
