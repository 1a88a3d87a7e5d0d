"""Profiles: the shipped ones hold together, and a faulty one is refused with its reason."""

import asyncio
from pathlib import Path

import pytest
import yaml

import collectors
from collectors import detect
from collectors.detect import Fit, Identity, fits
from collectors.profile import Ambiguous, Match, Profile, combine
from collectors.written import ProfileError, heirs, parse, profiles
from parvis import catalogue

GOOD = """
profile: example
title: An example
match: [{object_id: 1.3.6.1.4.1.99999}]
tables:
  radio:
    oid: 1.3.6.1.4.1.99999.1.1
    columns: {name: {arc: 1, read: text}, clients: 2}
metrics:
  - {metric: wifi_radio_clients, table: radio, value: clients, labels: {radio: name}}
"""


def detected(identity: Identity, *answering: str) -> list[Fit]:
    """The profiles that fit a device that answers below the OIDs *answering*."""

    async def probe(oid: str) -> bool:
        return oid in answering

    return asyncio.run(fits(profiles(), identity, probe))


def names(found: list[Fit]) -> list[str]:
    return [fit.profile.profile for fit in found]


def test_the_shipped_profiles_are_there() -> None:
    assert {profile.profile for profile in profiles()} >= {"system", "if_mib", "unifi", "mikrotik", "aruba_instant"}


@pytest.mark.parametrize("device", [each for each in profiles() if each.layer == "device"], ids=lambda p: p.profile)
def test_a_device_profile_agrees_with_all_base_profiles(device: Profile) -> None:
    base = [each for each in profiles() if each.layer == "base"]

    combined = combine([*base, device])

    assert {rule.metric for rule in combined.metrics} == {r.metric for each in (*base, device) for r in each.metrics}


def test_the_shipped_profiles_say_the_same_where_no_c_reads_yaml() -> None:
    for file in Path(collectors.__file__).parent.glob("profiles/*.yml"):
        text = file.read_text()

        assert yaml.safe_load(text) == yaml.load(text, Loader=yaml.CSafeLoader), file.name


def test_a_good_profile_is_read() -> None:
    assert parse(GOOD, "example.yml").roots("radio")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("title:", "titel:", "titel"),
        ("wifi_radio_clients", "wifi_radio_client", "did you mean wifi_radio_clients"),
        ("{radio: name}", "{colour: name}", "no label colour"),
        ("{radio: name}", "{radio: nome}", "no column nome"),
        ("value: clients", "value: guests", "no column guests"),
        ("value: clients", "value: clients, amplified: true", "amplified is said of light"),
        ("value: clients", "value: clients, licensed: true", "licensed is said of wifi_radio_frequency_hertz"),
        ("table: radio", "table: radios", "no table 'radios'"),
        ("clients: 2", "clients: {arc: 2, names: {'(': x}}", "not a regular expression"),
        ("clients: 2", "clients: {arc: 2, oid: 1.3.6}", "its oid, or its arc"),
        ("clients: 2", "clients: {arc: 2, read: numbr}", "read"),
        ("1.3.6.1.4.1.99999.1.1", "1.3.6.x", "not an OID"),
        ("match: [{object_id: 1.3.6.1.4.1.99999}]", "match: [{}]", "must name"),
        ("profile: example", "profile: [", "example.yml"),
        ("clients: 2", "clients: {arc: 2, extract: abc}", "must have one group"),
        ("clients: 2", "clients: {arc: 2, every: day}", "every"),
        ("tables:", "quirks: {max_oids: 0}\ntables:", "max_oids"),
        ("columns: {name", "private: true\n    columns: {name", "are private"),
        ("columns: {name", "index: {x: {at: 0, read: txt}}\n    columns: {name", "index"),
    ],
)
def test_s40_g21_a_faulty_profile_is_refused_with_its_reason(old: str, new: str, reason: str) -> None:
    assert old in GOOD

    with pytest.raises(ProfileError, match=reason):
        parse(GOOD.replace(old, new), "example.yml")


def test_profiles_that_disagree_on_a_table_are_refused() -> None:
    other = GOOD.replace("clients: 2", "clients: 3").replace("profile: example", "profile: other")

    with pytest.raises(Ambiguous):
        combine([parse(GOOD, "example.yml"), parse(other, "other.yml")])


NET_SNMP = "1.3.6.1.4.1.8072.3.2.10"
VAPS = "1.3.6.1.4.1.41112.1.6.1.2.1.8"


@pytest.mark.parametrize(
    ("identity", "answering", "expected"),
    [
        (Identity(NET_SNMP, "UAP-nanoHD 5.43.36.12724"), (), "unifi"),
        (Identity(NET_SNMP, "U6-Lite 6.6.55"), (), "unifi"),
        (Identity(NET_SNMP, "U7-Pro 8.0.6"), (), "unifi"),
        (Identity(NET_SNMP, "Linux something 5.10"), (VAPS,), "unifi"),
        (Identity("1.3.6.1.4.1.10002.1", "Linux 3.3.8"), (VAPS,), "unifi"),
        (Identity("1.3.6.1.4.1.10002.1", "Linux 3.3.8"), (), "system"),
        (Identity(NET_SNMP, "Linux vm 6.1.0 x86_64"), (), "system"),
        (Identity("1.3.6.1.4.1.14988.1", "RouterOS cAP ac"), (), "mikrotik"),
        (Identity("1.3.6.1.4.1.14988.2", "CSS610-8P-2S+ SwOS v2.18"), (), "mikrotik"),
        (Identity("1.3.6.1.4.1.14988.10", "somebody else"), (), "system"),
        (Identity("1.3.6.1.4.1.14823.1.2.111", "ArubaOS"), ("1.3.6.1.4.1.14823.2.3.3.1.2.1",), "aruba_instant"),
        (Identity("1.3.6.1.4.1.14823.1.2.111", "ArubaOS"), (), "system"),
        (Identity("1.3.6.1.4.1.14823.1.2.131", "AOS-10 (MODEL: 655), Version 10.6.0.0"), (), "aruba_instant"),
        (Identity(), (), "system"),
        (Identity(NET_SNMP, "Linux GWN7630"), ("1.3.6.1.4.1.42397.1.1.2.1",), "grandstream_gwn"),
        (Identity(NET_SNMP, "Alta AP6 2.2w"), (), "altalabs_ap"),
        (Identity("1.3.6.1.4.1.207.1.13.27", "AT-TQ4600 version 4.0"), (), "allied_tq"),
        (Identity("1.3.6.1.4.1.207.1.14.128", "Allied Telesis router/switch, AW+"), (), "allied_telesis"),
        (Identity("1.3.6.1.4.1.890.1.15", "WBE660S"), ("1.3.6.1.4.1.890.1.15.3.5.1.1.2",), "zyxel_nwa"),
        (Identity("1.3.6.1.4.1.388.50.1.1.10", "AP650"), ("1.3.6.1.4.1.388.11.2.4.2.100.10.1.18",), "extreme_wing"),
        (Identity(NET_SNMP, "Linux"), ("1.3.6.1.4.1.41112.1.10.1.2.2",), "airfiber_ltu"),
        (Identity("1.3.6.1.4.1.10002.1", "Linux"), ("1.3.6.1.4.1.41112.1.11.1.1",), "af60"),
        (Identity("1.3.6.1.4.1.10002.1", "Linux"), ("1.3.6.1.4.1.41112.1.3.1.1.5",), "airfiber"),
        (Identity("1.3.6.1.4.1.10002.1", "Linux"), ("1.3.6.1.4.1.41112.1.5.4.2.1.3",), "edgepower"),
        (Identity("1.3.6.1.4.1.41112.1.4", "Linux"), (), "airmax"),
        (Identity("1.3.6.1.4.1.41112", "UK-Ultra 6.6"), (), "unifi"),
        (Identity(NET_SNMP, "Linux"), ("1.3.6.1.4.1.48690.2",), "teltonika"),
        (
            Identity("1.3.6.1.4.1.25053.3.1.5.15", "a director"),
            ("1.3.6.1.4.1.25053.1.2.1.1.1.15",),
            "ruckus_zonedirector",
        ),
        (Identity("1.3.6.1.4.1.17713.11", "a bridge"), (), "cambium_ptp"),
        (Identity("1.3.6.1.4.1.17713.21", "an access point"), (), "epmp"),
        (Identity("1.3.6.1.4.1.17713.24.1", "a switch"), (), "cnmatrix"),
        (Identity("1.3.6.1.4.1.31926.35", "a MultiHaul node"), (), "siklu"),
        (Identity("1.3.6.1.4.1.4329.15.1.1.20", "an Extreme controller"), (), "extreme_ewc"),
        (Identity("1.3.6.1.4.1.4329.6.1.2.7.2.1", "Siemens, SIMATIC NET, SCALANCE XC206"), (), "scalance"),
        (Identity("1.3.6.1.4.1.8691.7.108", "EDS-G512E"), (), "moxa"),
        (Identity("1.3.6.1.4.1.8691.600.5.1", "MDS-G4012"), (), "moxa_nos"),
        (Identity("1.3.6.1.4.1.637.54.1.10.90.13", "V220100"), (), "nokia_wavence"),
        (Identity("1.3.6.1.4.1.2356.14.8.3528", "LANCOM GS-3528XP"), (), "lancom_sx"),
        (Identity("1.3.6.1.4.1.12356.121.201", "FortiExtender"), (), "fortiextender"),
        (Identity("1.3.6.1.4.1.629.200.1", "OptiDriver"), (), "mrv"),
        (Identity("1.3.6.1.4.1.9.1.3185", "Cisco Wireless CW9176I"), (), "meraki_mr"),
        (Identity("1.3.6.1.4.1.29671.2.210", "Meraki MS120-8LP Cloud Managed Switch"), (), "system"),
        (Identity("1.3.6.1.4.1.2011.2.23.968", "Huawei YunShan OS Version 1.23"), (), "huawei_yunshan"),
        (Identity("1.3.6.1.4.1.2011.2.23.968", "Huawei Versatile Routing Platform"), (), "huawei_vrp"),
        (Identity("1.3.6.1.4.1.2011.2.25.1", "Huawei Optix RTN V100R011"), (), "huawei_rtn"),
        (Identity("1.3.6.1.4.1.2011.2.25.1", "Huawei OptiX OSN"), (), "huawei_vrp"),
        (Identity("1.3.6.1.4.1.7483.1.3.1.2", "1830 PSS-32"), (), "nokia_pss"),
        (Identity("1.3.6.1.4.1.7483.1.3.1.12", "1830 PSD"), (), "nokia_psd"),
        (Identity("1.3.6.1.4.1.1271.3.2", "Waveserver"), (), "ciena_waveserver"),
        (Identity("1.3.6.1.4.1.1271.1.9", "6500 R2"), ("1.3.6.1.4.1.1271.4.1.1.1.1.1.1",), "ciena_rls"),
        (Identity("1.3.6.1.4.1.1271.1.2", "5160"), ("1.3.6.1.4.1.1271.2.1.9.1.1.1.1.2",), "ciena_ces"),
        (Identity("1.3.6.1.4.1.6486.800.1.1.2.1.11.1.7", "OS6850"), (), "omniswitch"),
        (Identity("1.3.6.1.4.1.6486.800.1.1.2.2.4.1", "LS6224"), (), "system"),
        (Identity("1.3.6.1.4.1.6486.800.1.1.2.2.2.1", "AOS-W"), ("1.3.6.1.4.1.14823.2.2.1.1.3.1",), "arubaos"),
        (Identity("1.3.6.1.4.1.6486.802.1.1.2.1.2.14", "OAW-AP1361"), (), "stellar"),
        (Identity("1.3.6.1.4.1.6486.802.1.1.2.1.2", "no model"), (), "system"),
        (Identity("1.3.6.1.4.1.52642.1.99.5638", "S5850-48B8C"), (), "fs_centec"),
        (Identity("1.3.6.1.4.1.3902.1082.1001.9999.1", "C320"), (), "zte_olt"),
        (Identity("1.3.6.1.4.1.3902.15.2.11", "ZXR10 switch"), (), "system"),
    ],
)
def test_s02_a_device_is_known_by_what_it_says_and_answers(
    identity: Identity, answering: tuple[str, ...], expected: str
) -> None:
    assert names(detected(identity, *answering))[-1] == expected


def test_s02_a_model_is_read_in_its_own_branch_and_models_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detect, "_models", {})

    def optics(model: int) -> str | None:
        found = detected(Identity(f"1.3.6.1.4.1.9304.100.{model}.7", "CTS"))[-1].profile
        return found.tables["cts_optics"].oid if found.profile == "cts" else None

    first = detected(Identity("1.3.6.1.4.1.9304.100.3112", "CTS"))[-1].profile
    assert first is detected(Identity("1.3.6.1.4.1.9304.100.3112", "CTS"))[-1].profile
    assert optics(3112) == "1.3.6.1.4.1.9304.100.3112.5.34.2.1.1"
    assert optics(51122) == "1.3.6.1.4.1.9304.100.51122.5.34.2.1.1"
    assert sum(optics(model) is not None for model in range(100_000, 101_000)) < 256


SAID = {
    "RTN": "Huawei Optix RTN V100R011",
    "^Apex ?(Plus|Lynx)": "ApexPlus-3.0.0",
    "(?i)yunshan": "Huawei YunShan OS",
    "Catalyst 1[23]00 Series": "Catalyst 1200 Series Managed Switch",
    "^(UAP|UAL|U6|U7|E7|UK|UWB|UXG|U-LTE|UBB|UniFi)": "U7-Pro-Max",
    "^AOS-10": "AOS-10 (MODEL: 655), Version 10.6.0.0 SSR",
    "Cisco (Controller|Business Wireless)": "Cisco Controller",
    "(?i)C9800": "Cisco IOS Software, C9800 Software",
    "MR|CW9": "Meraki MR46",
    "^=?(Meraki (MR|CW)|Cisco Wireless CW)": "Cisco Wireless CW9166",
    "(?i)openwrt": "Linux OpenWrt 23.05",
    "Xirrus|ArrayOS": "Xirrus XR4830, ArrayOS",
    "^Alta AP": "Alta AP6-Pro 2.2w",
    "^AT-TQ": "AT-TQ5403 version 6.0",
    ".": "a switch",
}
"""For each pattern of sysDescr, what such a device says."""
WAYS = [(each.profile, match) for each in profiles() if each.layer == "device" for match in each.match]


@pytest.mark.parametrize(("name", "match"), WAYS, ids=[f"{name}-{n}" for n, (name, _) in enumerate(WAYS)])
def test_s02_no_profile_captures_a_sibling(name: str, match: Match) -> None:
    """A device that a profile describes, and that answers nothing else, is taken for that one."""
    said = SAID[match.description] if match.description else "something"
    identity = Identity(f"{match.object_id}.4242" if match.object_id else "1.3.6.1.4.1.99999", said)

    assert names(detected(identity, *([match.probe] if match.probe else [])))[-1] == name


def test_the_reason_is_given_in_words() -> None:
    fit = detected(Identity(NET_SNMP, "UAP-AC-Pro 6.5.28"))[-1]

    assert fit.why == f"sysObjectID is {NET_SNMP} and sysDescr contains 'UAP'"


def test_base_profiles_are_added_where_the_device_has_them() -> None:
    assert names(detected(Identity(), "1.3.6.1.2.1.2.2.1", "1.3.6.1.4.1.2021.4.5")) == ["if_mib", "system", "ucd"]


def test_the_more_precise_sysobjectid_wins() -> None:
    vague = parse(GOOD.replace("profile: example", "profile: a_vague"), "vague.yml")
    precise = parse(GOOD.replace("99999}]", "99999.7}]"), "precise.yml")

    async def probe(_: str) -> bool:
        return False

    for candidates in ([vague, precise], [precise, vague]):
        found = asyncio.run(fits(candidates, Identity("1.3.6.1.4.1.99999.7.1"), probe))
        assert names(found) == ["example"]


def test_every_metric_of_the_catalogue_has_a_source() -> None:
    room = Path(collectors.__file__).parent
    text = "\n".join(path.read_text("utf-8") for path in (*room.rglob("*.py"), *room.rglob("*.yml")))

    ours = [name for name, metric in catalogue.metrics().items() if metric.exposed_by == "collectors"]

    assert [name for name in ours if name not in text] == []


def test_an_heir_has_what_it_inherits() -> None:
    child = parse("profile: heir\ntitle: Heir\ninherit: example\nmatch: [{object_id: 1.3.6.1.4.1.99999.8}]", "heir.yml")

    heir = heirs([parse(GOOD, "example.yml"), child])[1]

    assert (heir.profile, heir.title, set(heir.tables)) == ("heir", "Heir", {"radio"})
    assert [rule.metric for rule in heir.metrics] == ["wifi_radio_clients"]


def test_nobody_inherits_from_a_stranger() -> None:
    child = parse("profile: heir\ntitle: Heir\ninherit: nobody\nmatch: [{object_id: 1.3.6.1.4.1.99999.8}]", "heir.yml")

    with pytest.raises(ProfileError, match="heir: inherit: 'nobody'"):
        heirs([child])


def test_the_example_of_the_docs_is_a_profile() -> None:
    page = (Path(__file__).parents[2] / "docs/04-the-ears.md").read_text("utf-8")
    example = next(block for block in page.split("```") if block.startswith("yaml\nprofile: example"))

    assert parse(example.removeprefix("yaml"), "docs").profile == "example"
    assert len(example.splitlines()) <= 30


def test_labels_may_be_asked_less_often_than_counts() -> None:
    marked = parse(GOOD.replace("read: text}", "read: text, every: slow}"), "example.yml")
    hourly = parse(GOOD.replace("    oid: 1.3", "    every: hour\n    oid: 1.3"), "example.yml")

    def seconds(profile: Profile) -> list[float]:
        return [profile.keep_seconds("radio", root) for root in profile.roots("radio")]

    assert (seconds(marked), seconds(hourly)) == ([600, 0], [3600, 3600])
