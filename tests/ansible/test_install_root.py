"""From an empty Debian to a running town, twice the same, seen from outside: real machines and playbooks in the twin.

Takes its time, so it has a command of its own: ``script/test-install``. The tests follow one another: each begins where
the one before it has left the machines.
"""

import json
import re
import shutil
import tarfile

from installation import (
    DEBIAN,
    FOLLOWING,
    GATEWAY,
    OLDER,
    RELEASE,
    SERIES,
    SITE,
    VISITOR,
    Installation,
    recap,
    tail,
    well,
)
from machines import until

from parvis.processes import ALERTMANAGER_PORT, COLLECTORS, MONITOR
from upkeep import logs, ports, publishing
from upkeep.audit_command import WORST_SCORE
from upkeep.delivered import INSTALLED
from upkeep.units import DEBIAN as DEBIANS

pytestmark = FOLLOWING
ARCHIVE = ("runuser", "-u", "parvis-archive", "--", "parvis", "legal", "--settings", "/etc/parvis/archive.toml")
HOLDERS = ("--holder", "directrice", "--holder", "archiviste", "--holder", "notaire")
STATE = "/var/lib/parvis/archive"
COLLEAGUE = "collegue"
"""An administrator of the first days, who then leaves."""


def test_a_package_of_another_debian_is_refused_before_anything_is_touched(installed: Installation) -> None:
    own, other = DEBIAN[RELEASE], next(number for number in DEBIAN.values() if number != DEBIAN[RELEASE])
    wrong = installed.folder / installed.packages[OLDER].name.replace(f"deb{own}", f"deb{other}")
    wrong.touch()
    done = installed.play("site.yml", OLDER, program_package=str(wrong))

    assert done.returncode != 0
    assert f"is not made for centre, which runs Debian {own}" in " ".join(done.stdout.split()), tail(done)
    assert {counts["changed"] for counts in recap(done.stdout).values()} == {0}
    assert not (installed.centre.root / "etc/chrony/conf.d/parvis.conf").exists()


def test_looking_only_says_what_would_be_done_and_touches_nothing(installed: Installation) -> None:
    done = installed.play("site.yml", OLDER, "--check", "--diff")

    assert done.returncode == 0, tail(done)
    assert all(counts["changed"] > 5 for counts in recap(done.stdout).values()), tail(done)
    assert "+PermitRootLogin no" in done.stdout
    assert "essai-" not in done.stdout, "a secret is shown"
    for machine in (installed.centre, installed.gateway):
        assert not (machine.root / "etc/ssh/sshd_config.d/10-parvis.conf").exists()
        assert not (machine.root / "opt/parvis").exists()
        assert "parvis" not in (machine.root / "etc/group").read_text()


def test_sec07_an_empty_debian_becomes_a_running_town(installed: Installation) -> None:
    installed.colleagues = [COLLEAGUE]
    done = installed.play("site.yml", OLDER)

    assert done.returncode == 0, tail(done)
    for machine in (installed.centre, installed.gateway):
        assert machine.ssh("systemctl", "is-system-running", check=False).stdout.strip() in {"running", "degraded"}
        assert machine.ssh("systemctl", "--failed", "--plain", "--no-legend").stdout == ""
        restarts = machine.ssh("systemctl", "show", "--property=NRestarts", "parvis-*.service").stdout.split()
        assert set(restarts) <= {"NRestarts=0"}, "a watchdog that is not fed ends a process each minute"


def test_the_second_run_changes_nothing(installed: Installation) -> None:
    done = installed.play("site.yml", OLDER)

    assert done.returncode == 0, tail(done)
    counted = {host: counts["changed"] for host, counts in recap(done.stdout).items()}
    assert counted == {"centre": 0, GATEWAY: 0}, tail(done)


def test_evidence_waits_for_two_decisions_then_is_recorded_and_collected(installed: Installation) -> None:
    centre, gateway = installed.centre, installed.gateway
    before = [machine.ssh("systemctl", "is-active", unit, check=False).stdout.strip()
              for machine, unit in ((centre, "parvis-archive"), (gateway, "parvis-evidence"))]  # fmt: skip
    centre.ssh(*ARCHIVE, "ceremony", *HOLDERS, "--shares-into", f"{STATE}/shares")
    centre.ssh(*ARCHIVE, "injunction", "--off", "--by", "La maire", "--into", f"{STATE}/choice.json")
    centre.ssh("parvis", "settle")
    for name, file in (("evidence_holders", "holders.json"), ("evidence_choice", "choice.json")):
        installed.chosen[name] = centre.ssh("cat", f"{STATE}/{file}").stdout
    installed.colleagues = []
    done = installed.play("site.yml", OLDER, "--limit", GATEWAY)

    assert before == ["inactive", "inactive"]
    assert done.returncode == 0, tail(done)
    assert gateway.ssh("systemctl", "is-active", "parvis-evidence").stdout.strip() == "active"
    installed.phone()
    assert until(
        lambda: centre.ssh("find", f"{STATE}/sealed", "-type", "f", check=False).stdout, "nothing is collected", 180
    )


def test_sec03_who_is_no_administrator_any_longer_has_no_key_and_no_rights(installed: Installation) -> None:
    before, after = installed.centre, installed.gateway

    assert {"parvis-admins", "sudo"} <= set(before.ssh("id", "-nG", COLLEAGUE).stdout.split())
    assert "NOPASSWD" in before.ssh("sudo", "-l", "-U", COLLEAGUE).stdout
    assert after.ssh("id", "-nG", COLLEAGUE).stdout.split() == [COLLEAGUE]
    assert not (after.root / f"etc/ssh/authorized_keys.d/{COLLEAGUE}").exists()
    assert "NOPASSWD" not in after.ssh("sudo", "-l", "-U", COLLEAGUE, check=False).stdout


def test_sec10_every_unit_is_sandboxed_and_only_gatewayd_may_touch_the_network(installed: Installation) -> None:
    units = {f"parvis-{one.name}.service": one.place for one in INSTALLED} | dict.fromkeys(DEBIANS, "centre")
    units |= {"kea-dhcp4-server.service": "gateway", logs.UPLOAD: "gateway", f"{publishing.NAME}.service": "centre"}
    listed = installed.centre.ssh("systemctl", "list-units", "--plain", "--no-legend", "postgresql@*.service").stdout
    units |= {line.split()[0]: "centre" for line in listed.splitlines()}
    scores = {}
    for unit, place in units.items():
        said = (installed.gateway if place == "gateway" else installed.centre).ssh("systemd-analyze", "security", unit)
        scores[unit] = float(re.search(r"exposure level for \S+: ([0-9.]+)", said.stdout)[1])  # type: ignore[index]
    print(scores)

    assert {name: score for name, score in scores.items() if score > WORST_SCORE} == {}


def test_sec02_what_listens_listens_where_it_must(installed: Installation) -> None:
    for machine in (installed.gateway, installed.centre):
        report = machine.ssh("parvis", "audit", check=False).stdout
        judged = tuple(f"| ✗ | SEC-{number}" for number in ("02", "04", "06", "10"))
        wrong = [line for line in report.splitlines() if line.startswith(judged)]
        assert wrong == [], report


def test_sec04_root_and_passwords_are_refused_and_port_22_is_closed_to_guests(installed: Installation) -> None:
    inside = installed.lab.town.sites[0].guest.gateway_ipv4
    guest = installed.lab.exec(VISITOR, ["curl", "-sS", "--max-time", "3", f"telnet://{inside}:22"])
    said = installed.gateway.ssh("sshd", "-T").stdout

    assert guest.returncode != 0
    assert {"permitrootlogin no", "passwordauthentication no"} <= set(said.splitlines())


def test_sec01_guests_reach_names_and_the_portal_and_no_other_port_of_any_machine(installed: Installation) -> None:
    site, ours = installed.lab.town.sites[0], {one.port for one in INSTALLED}
    asked = sorted(ours | {22, 53, 80, 443, 3000, 5432, 9090, 9093, 9443, 9444, 9446, 19531, 19532})
    inside = (str(site.gateway.address), str(installed.lab.town.centre.address))
    phone = installed.phone()

    def found() -> dict[str, set[int]]:
        return {at: installed.open_from(VISITOR, at, asked) for at in (str(site.guest.gateway_ipv4), *inside)}

    before = found()
    phone.accepts()
    after = found()
    phone.leaves()

    for seen in (before, after):
        assert 53 in seen[str(site.guest.gateway_ipv4)], seen
        assert seen[str(site.guest.gateway_ipv4)] <= {53, 80, 443}, seen
    # Names and plain HTTP of any address are the gateway's own, until somebody accepts.
    assert before[inside[0]] | before[inside[1]] <= {53, 80}, before
    assert after[inside[0]] | after[inside[1]] == set(), after


def test_nobody_of_the_town_is_named_on_a_gateway(installed: Installation) -> None:
    folder = installed.gateway.root / "etc/parvis/town"
    told = "".join(file.read_text("utf-8") for file in folder.rglob("*") if file.is_file())

    assert installed.lab.town.contact.phone in told
    assert [person.name for person in installed.lab.town.people if person.phone in told or person.email in told] == []


def test_a_resident_goes_online_through_the_installed_gateway(installed: Installation) -> None:
    phone = installed.phone()
    until(phone.is_captive, "plain HTTP is not led to the portal", 60)
    phone.accepts()

    assert phone.is_online()
    phone.leaves()
    assert not phone.is_online()


def test_acceptances_are_told_to_the_shared_database(installed: Installation) -> None:
    asked = ("psql", "-XAtd", "parvis", "-c", "SELECT count(*) FROM passes")

    def told() -> bool:
        return installed.centre.ssh("runuser", "-u", "postgres", "--", *asked, check=False).stdout.strip() not in {
            "",
            "0",
        }

    assert until(told, "no pass is in the database", 60)


def test_every_device_is_polled_and_an_alert_is_delivered(installed: Installation) -> None:
    devices = sum(1 for site in installed.lab.town.sites for _ in site.polled())

    def polled() -> bool:
        page = installed.centre_says(f"http://127.0.0.1:{COLLECTORS.port}/metrics")
        return len(re.findall(r"^device_uptime_seconds\{", page, re.MULTILINE)) == devices

    until(polled, "devices are not polled", 180)
    summary = "Essai de bout en bout"
    alert = [{"labels": {"alertname": "Essai", "severity": "page", "layer": "site", "town": "cachan", "site": SITE},
              "annotations": {"summary": summary, "impact": "aucun"}}]  # fmt: skip
    posted = ("-X", "POST", "-H", "Content-Type: application/json", "-d", json.dumps(alert))
    installed.centre_says(f"http://127.0.0.1:{ALERTMANAGER_PORT}/api/v2/alerts", *posted)

    oncall = f"http://127.0.0.1:{MONITOR.port}/oncall"
    until(lambda: summary in installed.centre_says(oncall), "the alert is not an incident", 180)
    pages = ("cat", "/var/lib/parvis/monitor/pages.jsonl")
    assert until(lambda: summary in installed.centre.ssh(*pages, check=False).stdout, "nobody was called", 120)


def test_every_sample_goes_to_the_towns_influxdb_too(installed: Installation) -> None:
    devices = sum(1 for site in installed.lab.town.sites for _ in site.polled())
    asked = f"{SERIES}/api/v1/query?query=count(count%20by(device)(device_uptime_seconds_value))"

    def arrived() -> bool:
        said = json.loads(installed.centre_says(asked) or "{}")
        return [row["value"][1] for row in said.get("data", {}).get("result", [])] == [str(devices)]

    until(arrived, "not every device's samples have arrived", 180)
    assert "InfluxDB: takes what is written" in installed.centre.ssh("parvis", "doctor").stdout


def test_open_data_are_made_by_the_timers_unit_with_every_sites_figures(installed: Installation) -> None:
    centre = installed.centre
    assert centre.ssh("systemctl", "is-active", f"{publishing.NAME}.timer").stdout.strip() == "active"
    centre.ssh("systemctl", "start", f"{publishing.NAME}.service", seconds=300)
    made = centre.root / str(publishing.EXPORT).lstrip("/")
    said = centre.ssh("journalctl", "--quiet", "--unit", publishing.NAME).stdout

    assert {"catalog.ttl", "wifi-public-sites.parquet"} <= {file.name for file in made.iterdir()}, said
    states = json.loads((made / "wifi-public-sites.json").read_text())
    assert {row["id"]: row["etat"] for row in states}.keys() == {SITE}
    assert "published, for good" in said


def test_the_wall_is_served_over_tls_to_the_centre_and_to_nobody_else(installed: Installation) -> None:
    address = installed.lab.town.centre.address
    authority = str(installed.centre.root / "etc/parvis/tls/authority.pem")
    page = installed.centre_says(f"https://{address}/wall", "--cacert", authority)
    door = f"exec 3<>/dev/tcp/{address}/{ports.PROXY}"

    assert "</html>" in page
    assert installed.gateway.ssh("timeout", "5", "bash", "-c", door, check=False).returncode != 0


def test_sec11_the_gateways_journal_is_in_the_centre(installed: Installation) -> None:
    asked = ("journalctl", f"--directory={logs.FOLDER}", "--unit=parvis-gatewayd", "--output=json", "--lines=1")

    until(lambda: "_HOSTNAME" in installed.centre.ssh(*asked, check=False).stdout, "no line has arrived", 120)
    said = installed.centre.ssh("parvis", "doctor").stdout
    assert f"journal of {GATEWAY}: last line" in said, said


def test_the_support_bundle_names_nobody_and_holds_no_secret(installed: Installation) -> None:
    held = json.loads(installed.variables(OLDER).read_text())["parvis_secrets"]
    people = [word for one in installed.lab.town.people for word in (one.phone, one.email)]
    device = installed.lab.exec(VISITOR, ["cat", "/sys/class/net/wlan0/address"]).stdout.strip()
    for machine in (installed.gateway, installed.centre):
        machine.ssh("parvis", "support", "--into", "/var/tmp/bundle.tar.gz")
        with tarfile.open(machine.root / "var/tmp/bundle.tar.gz") as bundle:
            texts = {file.name: bundle.extractfile(file).read().decode() for file in bundle}  # type: ignore[union-attr]
        told = "".join(texts.values())

        assert len(texts) > 10
        assert device
        assert [word for word in (*held.values(), *people, device) if word.strip() and word in told] == []


def test_all_is_well_by_the_doctor(installed: Installation) -> None:
    for machine in (installed.centre, installed.gateway):
        assert well(machine)


def test_the_tools_that_build_machines_are_there() -> None:
    assert [name for name in ("mmdebstrap", "systemd-nspawn", "ssh") if shutil.which(name) is None] == []
