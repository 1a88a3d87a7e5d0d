"""Traps and informs from Net-SNMP's senders: believed by nobody, counted, and the cause of a poll."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from trap_senders import DEVICES, NEW, OLD, ear, sender, trap

from collectors.device import Device
from collectors.snmp import pdu, usm
from collectors.traps import door, identity, kinds
from collectors.traps.door import CannotListen, listen
from collectors.traps.kinds import KindsError, kind
from parvis.inventory import Town

COLD_START = "1.3.6.1.6.3.1.1.5.1"
UNHEARD_OF = "1.3.6.1.4.1.99999.0.3"


@pytest.mark.parametrize(
    ("version", "source", "device"), [("1", OLD, "ap-old"), ("2c", OLD, "ap-old"), ("3", NEW, "ap-new")]
)
def test_s29_s30_a_trap_of_a_known_device_is_counted_and_has_it_polled(
    town: Town, tmp_path: Path, version: str, source: str, device: str
) -> None:
    with ear(town, tmp_path) as listening:
        sent = sender(tmp_path / "sender", source, version=version).sends(listening.address)

        assert listening.waits(lambda e: bool(e.heard())), (sent.stderr, listening.refused())
        assert listening.heard() == {(device, "link_down"): 1}
        assert listening.polls == [device]
        assert listening.refused() == {}


@pytest.mark.parametrize(
    ("source", "user", "level", "heard"),
    [
        ("127.0.0.15", "parvis", "authNoPriv", {("ap-signed", "link_down"): 1}),
        ("127.0.0.15", "parvis", "noAuthNoPriv", {}),
        ("127.0.0.16", "nobody", "noAuthNoPriv", {("ap-bare", "link_down"): 1}),
    ],
)
def test_s07_s29_a_trap_has_to_be_as_secure_as_its_devices_credential(
    town: Town, tmp_path: Path, source: str, user: str, level: str, heard: dict[tuple[str, str], int]
) -> None:
    with ear(town, tmp_path) as listening:
        sender(tmp_path / "sender", source, version="3", user=user, level=level).sends(listening.address)

        assert listening.waits(lambda e: bool(e.heard()) or bool(e.refused()))
        assert listening.heard() == heard
        assert listening.refused() == ({} if heard else {"credential": 1})


@pytest.mark.parametrize(("version", "source"), [("2c", OLD), ("3", NEW)])
def test_s29_an_inform_is_acknowledged(town: Town, tmp_path: Path, version: str, source: str) -> None:
    with ear(town, tmp_path) as listening:
        sent = sender(tmp_path / "sender", source, version=version).sends(listening.address, COLD_START, inform=True)

        assert (sent.returncode, sent.stderr) == (0, "")
        assert listening.waits(lambda e: bool(e.heard()))
        assert [name for _, name in listening.heard()] == ["cold_start"]
        assert listening.refused() == {}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "wrong"),
    [
        (OLD, {"community": "public"}),
        (OLD, {"community": "arcueil"}),
        (OLD, {"community": "public", "version": "1"}),
        (OLD, {"version": "3"}),
        (NEW, {"version": "3", "auth": "not-the-secret"}),
        (NEW, {"version": "3", "privacy": "not-the-secret"}),
        (NEW, {"version": "3", "user": "mallory"}),
        (NEW, {"version": "3", "level": "authNoPriv"}),
        (NEW, {"version": "3", "level": "noAuthNoPriv"}),
        (NEW, {"community": "cachan"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value.values()),
)
def test_whoever_does_not_prove_to_be_the_device_is_refused(
    town: Town, tmp_path: Path, source: str, wrong: dict[str, str]
) -> None:
    with ear(town, tmp_path, idle_seconds=1) as listening:
        sender(tmp_path / "sender", source, **wrong).sends(listening.address)

        assert listening.waits(lambda e: bool(e.refused())), listening.heard()
        assert listening.refused() == {"credential": 1}
        assert (listening.heard(), listening.polls) == ({}, [])


def test_a_stranger_is_refused_unread(town: Town, tmp_path: Path) -> None:
    with ear(town, tmp_path, idle_seconds=1) as listening:
        sender(tmp_path / "sender", "127.0.0.66").sends(listening.address)

        assert listening.waits(lambda e: bool(e.refused()))
        assert (listening.refused(), listening.heard(), listening.polls) == ({"unknown_source": 1}, {}, [])


@pytest.mark.slow
def test_noise_is_refused_and_survived(town: Town, tmp_path: Path) -> None:
    with ear(town, tmp_path, idle_seconds=2) as listening:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as noisy:
            noisy.bind((OLD, 0))
            for noise in (b"", b"\x30", b"\x30\x82", b"\xff" * 40, b"\x30\x84\xff\xff\xff\xff"):
                noisy.sendto(noise, listening.traps.address)
        sender(tmp_path / "sender", OLD).sends(listening.address)

        assert listening.waits(lambda e: bool(e.heard()) and sum(e.refused().values()) == 5)
        assert listening.heard() == {("ap-old", "link_down"): 1}
        assert set(listening.refused()) <= {"garbage", "credential"}


def test_what_has_no_name_is_counted_as_unknown(town: Town, tmp_path: Path) -> None:
    with ear(town, tmp_path) as listening:
        sender(tmp_path / "sender", OLD).sends(listening.address, UNHEARD_OF)

        assert listening.waits(lambda e: bool(e.heard()))
        assert listening.heard() == {("ap-old", "unknown"): 1}


@pytest.mark.slow
def test_a_device_that_raves_is_limited_and_polled_once(town: Town, tmp_path: Path) -> None:
    with ear(town, tmp_path, per_second=0.5, idle_seconds=2) as listening:
        repeated(listening.traps.address, 200)

        assert listening.waits(lambda e: sum(e.heard().values()) + sum(e.refused().values()) == 200)
        assert 5 <= listening.heard()["ap-old", "link_down"] <= 10, "a bucket of ten seconds, and what flows in"
        assert set(listening.refused()) == {"rate"}
        assert listening.polls == ["ap-old"]


def repeated(to: tuple[str, int], times: int) -> None:
    """One real trap of ap-old, *times* times."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.bind((OLD, 0))
        for _ in range(times):
            opened.sendto(trap(), to)


@pytest.mark.slow
def test_nothing_is_lost_when_the_receiver_has_gone(town: Town, tmp_path: Path) -> None:
    with ear(town, tmp_path, idle_seconds=0.2) as listening:
        assert listening.traps.receiver_pid is None, "no trap, no receiver"
        for turn in (1, 2, 3):
            sender(tmp_path / "sender", OLD).sends(listening.address)
            assert listening.waits(lambda e, turn=turn: e.heard() == {("ap-old", "link_down"): turn})
            assert listening.waits(lambda e: e.traps.receiver_pid is None), "it ends when nothing comes"

        boots = json.loads((tmp_path / "traps" / "engine.json").read_text())["boots"]
        assert boots == 3


@pytest.mark.parametrize("broken", ["_start", "_noted"])
def test_a_machine_in_trouble_for_a_moment_hears_traps_again(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    """No process could be made, or what was heard could not be handed on: the traps that follow are heard."""
    place: Any = door if broken == "_start" else door.Traps
    real, failed = getattr(place, broken), list[int]()

    def fails_once(*words: Any) -> Any:
        if failed:
            return real(*words)
        failed.append(1)
        raise OSError("Cannot allocate memory")

    monkeypatch.setattr(place, broken, fails_once)
    with ear(town, tmp_path) as listening:
        says = sender(tmp_path / "sender", OLD)
        says.sends(listening.address)
        assert listening.waits(lambda _: bool(failed))
        says.sends(listening.address)

        assert listening.waits(lambda e: bool(e.heard()))
        assert listening.traps.wrong() == ""


@pytest.mark.slow
def test_v3_informs_go_on_after_our_engine_has_started_anew(town: Town, tmp_path: Path) -> None:
    says = sender(tmp_path / "sender", NEW, version="3")
    for _ in range(2):
        with ear(town, tmp_path) as listening:
            assert says.sends(listening.address, inform=True).returncode == 0
            assert listening.waits(lambda e: bool(e.heard()))
            assert listening.heard() == {("ap-new", "link_down"): 1}


@pytest.mark.slow
def test_a_device_without_its_secret_is_no_source(town: Town, tmp_path: Path) -> None:
    lost = [*DEVICES, Device("ap-lost", "127.0.0.13", credential="bornes")]
    with ear(town, tmp_path, idle_seconds=1, devices=lost) as listening:
        listening.traps._secret = missing  # type: ignore[assignment]
        sender(tmp_path / "sender", OLD).sends(listening.address)

        assert listening.waits(lambda e: bool(e.refused()))
        assert listening.refused() == {"unknown_source": 1}


def missing(name: str) -> None:
    from parvis.settings import SecretMissing  # noqa: PLC0415

    raise SecretMissing(name)


def test_a_port_that_is_taken_is_told_with_what_to_do() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotListen, match=f"UDP port {port} at 127.0.0.1 cannot be opened.*trap_port"):
            listen("127.0.0.1", port)


def test_our_engine_keeps_its_name_and_counts_its_boots(tmp_path: Path) -> None:
    file = tmp_path / "state" / "engine.json"

    first, second = identity.next_boot(file), identity.next_boot(file)

    assert (first[0], second[1]) == (second[0], first[1] + 1)
    assert first[0].startswith("80004fb805")
    assert 5 <= len(bytes.fromhex(first[0])) <= 32


@pytest.mark.slow
def test_each_start_of_the_receiver_is_a_boot_of_one_engine(town: Town, tmp_path: Path) -> None:
    told = [greeted(town, tmp_path) for _ in range(3)]

    assert [boots for _, boots in told] == [1, 2, 3]
    assert len({name for name, _ in told}) == 1


def greeted(town: Town, state: Path) -> tuple[bytes, int]:
    """Our engine's name and boots, as the sender of a first inform is told them."""
    greeting = usm.seal(pdu.ask(pdu.Kind.GET, ()), usm.NOBODY, usm.Engine(), 7, 0.0)
    with ear(town, state) as listening, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.bind((NEW, 0))
        asking.settimeout(20)
        asking.sendto(greeting, listening.traps.address)
        told = usm.open_message(asking.recv(2000), usm.NOBODY, usm.Engine(), 7)
    return told.engine_id, told.boots


def test_a_damaged_identity_is_told_and_not_replaced(tmp_path: Path) -> None:
    file = tmp_path / "engine.json"
    file.write_text("{")

    with pytest.raises(identity.BadIdentity, match=r"engine\.json is damaged"):
        identity.next_boot(file)
    assert file.read_text() == "{"


def test_the_kinds_are_in_order() -> None:
    assert kind("1.3.6.1.4.1.14179.2.6.3.8") == "access_point_lost"
    assert kind("1.3.6.1.4.1.2011.5.25.219.2.4.5") == "optic"
    assert kind("1.3.6.1.4.1.2011.5.25.219.2.4.5.1") == kinds.UNKNOWN


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("link_down: [1.3.6.1.6.3.1.1.5.3]\nlink_up: [1.3.6.1.6.3.1.1.5.3]", "both link_down and link_up"),
        ("link_down: [ifDown]", "ifDown is no OID"),
        ("Link down: [1.3]", "small letters"),
        ("link_down: 1.3", "list"),
    ],
)
def test_a_wrong_kind_is_told(text: str, said: str) -> None:
    with pytest.raises(KindsError, match=said):
        kinds.read(text)
