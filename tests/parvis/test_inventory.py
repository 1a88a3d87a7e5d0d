"""The town's description: every fault at once, each located, each with a way out."""

import shutil
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from parvis.inventory import DEMO_TOWN, InventoryError, Town, examine, load
from parvis.inventory.model import PortalPolicy, SitePolicy
from parvis.inventory.yaml_lines import MAX_BYTES, parse
from parvis.opening import Opening
from tests_support import Edit, faults_of

SITE = "sites/leo-lagrange.yml"


def test_the_demo_town_is_what_the_mission_names(town: Town) -> None:
    points = [point for site in town.sites for point in site.access_points]

    assert {site.kind.value for site in town.sites} >= {
        "public-services-house",
        "citizen-relations-desk",
        "library",
        "sports-complex",
    }
    assert len(points) >= 8
    assert len({point.vendor for point in points}) >= 3
    assert len({site.uplink.contract for site in town.sites}) >= 4
    assert len(town.people) >= 2


def test_a_missing_folder_is_a_located_fault(tmp_path: Path) -> None:
    with pytest.raises(InventoryError) as caught:
        load(tmp_path / "nowhere")

    assert any(fault.file == "town.yml" and "cannot be read" in fault.message for fault in caught.value.faults)


@pytest.mark.parametrize(
    ("name", "old", "new", "path", "says"),
    [
        ("town.yml", "timezone: Europe/Paris", "timezone: Europe/Pari", "timezone", "not a time zone"),
        ("town.yml", "title: {fr: Ville", "titel: {fr: Ville", "titel", "did you mean title?"),
        ("town.yml", "title: {fr: Ville", 'title: {fr: "V\\u0007", zh: Ville', "title.fr", "no page can show (U+0007)"),
        ("town.yml", "session: 12h", "session: twelve", "portal.session", "write 90s, 30min, 12h or 7d"),
        ("town.yml", "rate_down: 20 Mbit/s", "rate_down: 20 MB/s", "portal.rate_down", "write 20 Mbit/s"),
        ("town.yml", "order: [agent-1, agent-2", "order: [agent-1, agnet-2", "rota.order[1]", "did you mean agent-2?"),
        ("town.yml", "auth: SHA-256", "auth: SHA-3", "credentials[0].auth", "SHA-512"),
        ("town.yml", "auth: SHA-256, privacy", "auth: none, privacy", "credentials[0]", "privacy without auth"),
        ("town.yml", "privacy: AES-128", "privacy: none", "credentials[0]", "privacy_secret: without use"),
        (
            "town.yml",
            "auth_secret: snmp-bornes-auth, privacy",
            "privacy",
            "credentials[0]",
            "auth_secret: name its secret",
        ),
        ("town.yml", "name: agent-2,", "name: agent-1,", "people[1].name", "already used at town.yml:"),
        (SITE, "vendor: mikrotik", "vendor: mikrotic", "access_points[0].vendor", "mikrotik"),
        (SITE, '"02:00:5e:01:04:01"', '"02:00:5e:01:04"', "access_points[0].mac", "write six pairs"),
        (SITE, '"02:00:5e:01:04:02"', '"02:00:5e:01:04:01"', "access_points[1].mac", "already used at"),
        (SITE, "name: ap-lagrange-tribune", "name: ap-lagrange-gymnase", "access_points[1].name", "already used at"),
        (SITE, "address: 10.91.4.12", "address: 10.91.4.11", "access_points[1].address", "already used at"),
        (SITE, "address: 10.91.4.12", "address: 10.91.9.12", "access_points[1].address", "in no network of site"),
        (SITE, "ipv4: 10.14.0.0/22", "ipv4: 10.13.2.0/23", "guest.ipv4", "overlaps"),
        (SITE, "ipv4: 10.14.0.0/22", "ipv4: 10.14.0.1/22", "guest.ipv4", "host bits"),
        (SITE, "ipv4: 10.14.0.0/22", "ipv4: 10.14.0.0/30", "guest.ipv4", "too small"),
        (SITE, '"2001:db8:14::/64"', '"2001:db8:14::/60"', "guest.ipv6", "is not a /64"),
        (
            SITE,
            "{credential: anciennes-v2c}",
            "{credential: ancienne-v2c}",
            "access_points[0].snmp.credential",
            "anciennes-v2c?",
        ),
        (
            SITE,
            "{credential: anciennes-v2c}",
            "{credential: anciennes-v2c, object_id: 1.3.6.x}",
            "access_points[0].snmp.object_id",
            "is not an OID",
        ),
        (
            SITE,
            "{credential: anciennes-v2c}",
            '{credential: anciennes-v2c, engine_id: "80001f880461"}',
            "access_points[0].snmp.engine_id",
            "is asked in v2c, which has no engine_id",
        ),
        (
            SITE,
            "{credential: anciennes-v2c}",
            '{credential: bornes-v3, engine_id: "80001f880461", slow_lane: true}',
            "access_points[0].snmp.engine_id",
            "is asked in the slow lane, which takes whatever engine answers",
        ),
        (
            SITE,
            "{credential: anciennes-v2c}",
            "{credential: bornes-v3, engine_id: 8000188804}",
            "access_points[0].snmp.engine_id",
            "between quotes",
        ),
        (
            SITE,
            'switch: sw-lagrange, port: "1"',
            'switch: sw-lagrang, port: "1"',
            "access_points[0].switch",
            "sw-lagrange?",
        ),
        (SITE, "site: leo-lagrange", "site: leo", "site", "rename the file to leo.yml"),
        (SITE, "contract: FTTH-PRO-2023-008", "contract: FTTH-PRO-2023-007", "uplink.contract", "already used at"),
        (SITE, "class: B", "class: B\nclass: A", "class", "is given twice"),
        (SITE, "Mo-Su 08:00-22:00", "Mo-Su 8h-22h", "opening_hours", "character 7 on: 8h-22h"),
        (SITE, "Mo-Su 08:00-22:00", "Mo-Su 08:00-22:00; SH off", "opening_hours", "school holidays (SH)"),
        (SITE, "class: B", "class: B\nportal: {quota: 5 Go}", "portal.quota", "write 500 MB or 2 GB"),
        (SITE, "class: B", "class: B\nportal: {idle: 10s}", "portal.idle", "greater than or equal to 60"),
        (
            SITE,
            "class: B",
            "class: B\nknown_devices: [{mac: f0-9f-c2-00-00-zz, title: Imprimante, why: Accueil}]",
            "known_devices[0].mac",
            "f0-9f-c2-00-00-zz",
        ),
    ],
)
def test_each_mistake_is_located_and_says_what_to_do(
    town_folder: Path, edit: Edit, name: str, old: str, new: str, path: str, says: str
) -> None:
    edit(name, old, new)

    faults = faults_of(town_folder)

    found = [
        fault
        for fault in faults
        if fault.file == name and fault.path == path and says in f"{fault.message}; {fault.fix}"
    ]
    assert found, f"expected {path}: …{says}… among:\n" + "\n".join(map(str, faults))
    line = (town_folder / name).read_text("utf-8").splitlines()[found[0].line - 1]
    assert new.splitlines()[-1][:12] in line or path.rsplit(".", maxsplit=1)[-1].split("[", maxsplit=1)[0] in line


def test_s10_one_engine_id_for_two_devices_is_a_fault_however_it_is_written(town_folder: Path, edit: Edit) -> None:
    edit(SITE, "{credential: reseau-v3}", '{credential: reseau-v3, engine_id: "80001F880461"}')
    edit(SITE, "{credential: bornes-v3}", '{credential: bornes-v3, engine_id: "80:00:1f:88:04:61"}')

    [fault] = faults_of(town_folder)
    assert f"engine ID 80001f880461 is already used at {SITE}:" in fault.message
    assert fault.fix == "give it an engine ID of its own"


def test_a_list_is_not_called_empty_because_its_one_entry_is_faulty(town_folder: Path, edit: Edit) -> None:
    edit(SITE, "{credential: reseau-v3}", '{credential: reseau-v3, engine_id: "80:00"}')

    [fault] = faults_of(town_folder)
    assert "is not an engine ID" in fault.message


def test_every_fault_is_reported_at_once(town_folder: Path, edit: Edit) -> None:
    edit("town.yml", "session: 12h", "session: never")
    edit("town.yml", "timezone: Europe/Paris", "timezone: Mars")
    edit(SITE, "class: B", "class: D")
    edit("sites/bibliotheque-centrale.yml", "kind: library", "kind: librairie")

    paths = {fault.path for fault in faults_of(town_folder)}

    assert {"portal.session", "timezone", "class", "kind"} <= paths


def test_an_access_point_in_no_site_is_told_where_it_belongs(town_folder: Path, edit: Edit) -> None:
    edit("town.yml", "people:", "access_points: []\npeople:")

    [fault] = faults_of(town_folder)

    assert fault.path == "access_points"
    assert fault.message == "unknown key"


@pytest.mark.parametrize(
    "text", ["town: [", "\tx: 1", "a: &a [*a]", "? [x]\n: y", "- 1\n- 2", "", "12", "!!python/name:os.system x"]
)
def test_broken_yaml_is_a_fault_never_an_exception(town_folder: Path, text: str) -> None:
    (town_folder / SITE).write_text(text, "utf-8")

    assert any(fault.file == SITE for fault in faults_of(town_folder))


def test_a_file_that_is_no_text_or_too_large_is_refused(town_folder: Path) -> None:
    (town_folder / SITE).write_bytes(b"site: \xff\xfe")
    (town_folder / "town.yml").write_bytes(b"#" * (MAX_BYTES + 1))

    messages = {fault.file: fault.message for fault in faults_of(town_folder)}

    assert messages[SITE] == "is not UTF-8 text"
    assert "too large" in messages["town.yml"]


def test_words_that_yaml_1_1_turns_into_something_else_stay_text() -> None:
    document, faults = parse("a: no\nb: 10:20:30:40:50:10\nc: 2026-01-05\nd: 0x10\ne: 012\n", "x.yml")

    assert not faults
    assert document is not None
    assert document.data == {"a": "no", "b": "10:20:30:40:50:10", "c": "2026-01-05", "d": "0x10", "e": 12}


def test_no_site_at_all_is_a_fault(town_folder: Path) -> None:
    shutil.rmtree(town_folder / "sites")

    assert [fault.file for fault in faults_of(town_folder)] == ["sites/"]


def test_the_demo_town_has_no_fault() -> None:
    town, faults = examine(DEMO_TOWN)

    assert town is not None
    assert faults == []


def test_a_colour_nobody_can_read_is_refused_with_its_ratio_and_one_that_can_be_read(
    town_folder: Path, edit: Edit
) -> None:
    edit("town.yml", "network_name: Cachan-WiFi", 'appearance: {main: "#7fb3a8"}\nnetwork_name: Cachan-WiFi')

    town, faults = examine(town_folder)

    assert town is None
    assert [(fault.file, fault.path) for fault in faults] == [("town.yml", "appearance.main")] * 2
    assert "#7fb3a8 and #f4f1ea have a contrast of 2.09:1, text needs 4.5:1; take #" in str(faults[0])


def test_languages_begin_with_french(town_folder: Path, edit: Edit) -> None:
    edit("town.yml", "languages: [fr, en, es", "languages: [en, fr, es")

    assert "languages begin with fr" in str(examine(town_folder)[1][0])


def test_what_is_in_the_portals_folder_is_read_as_text(town_folder: Path) -> None:
    folder = town_folder / "portal"
    (folder / "terms").mkdir(parents=True)
    (folder / "terms/2.0.0.fr.html").write_text("<p>é</p>", "utf-8")

    assert load(town_folder).portal_files == {"terms/2.0.0.fr.html": "<p>é</p>"}

    (folder / "logo.png").write_bytes(b"x")
    (folder / "texts.yml").write_bytes(b"\xff")
    assert [fault.file for fault in examine(town_folder)[1]] == ["portal/logo.png", "portal/texts.yml"]


def test_a_site_changes_single_fields_of_the_towns_policy(town_folder: Path, edit: Edit) -> None:
    edit("town.yml", "session: 12h", "session: 12h\n  quota: 5 GB")
    edit(SITE, "class: B", "class: B\nportal: {session: 4h, idle: null, hours: building}")
    town = load(town_folder)

    here, elsewhere = (town.policy(town.site(name)) for name in ("leo-lagrange", "bibliotheque-centrale"))

    assert (here.session, here.idle, here.hours, here.quota) == (4 * 3600, None, "building", 5 * 10**9)
    assert (elsewhere.session, elsewhere.idle, elsewhere.hours) == (12 * 3600, 2 * 3600, "always")
    assert (here.host, here.rate_down) == (town.portal.host, town.portal.rate_down)


def test_what_a_site_may_change_is_what_the_town_says() -> None:
    assert set(SitePolicy.model_fields) == set(PortalPolicy.model_fields)


def test_public_holidays_are_the_french_ones_and_the_clock_change_moves_nothing() -> None:
    hours, zone = Opening("Mo-Fr 08:30-17:30; PH off", "Europe/Paris"), ZoneInfo("Europe/Paris")
    friday = datetime(2026, 3, 27, 18, tzinfo=zone).timestamp()

    assert hours.at(datetime(2026, 7, 14, 10, tzinfo=zone).timestamp())[0] is False
    assert hours.at(datetime(2026, 7, 15, 10, tzinfo=zone).timestamp())[0] is True
    assert hours.at(friday) == (False, datetime(2026, 3, 30, 8, 30, tzinfo=zone).timestamp())
    assert Opening("24/7", "Europe/Paris").at(friday) == (True, None)


def test_r57_another_comment_closes_no_building_and_unknown_hours_open_none() -> None:
    """For the library both are changes; residents would be told, and put out, at noon."""
    zone = ZoneInfo("Europe/Paris")
    noon, evening, saturday = (
        datetime(2026, 7, day, hour, tzinfo=zone).timestamp() for day, hour in ((13, 11), (13, 18), (18, 10))
    )

    assert Opening('Mo-Fr 10:00-12:00 "enfants", Mo-Fr 12:00-18:00 "tous"', "Europe/Paris").at(noon) == (True, evening)
    assert Opening("Mo-Fr 12:00-18:00 unknown, Sa 10:00-12:00", "Europe/Paris").at(noon) == (False, saturday)
    assert Opening("Mo-Fr 12:00-18:00 unknown", "Europe/Paris").at(noon) == (False, None)
