"""The resident that is a program: walks the whole way, and says in words what is wrong when something is."""

import json
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from door_twin import PARVIS, PORTAL_UID, Resident, Twin, sh
from real_clients import apart

pytestmark = [pytest.mark.root, pytest.mark.slow]
API = "https://wifi.cachan.example/api/captive"
WAY = ["api-captive", *(f"probe-{name}" for name in ("apple", "android", "windows", "firefox", "chrome", "linux",
       "amazon", "roku", "console")), "https-refused", "page", "accept", "api-online", "internet-ipv4", "internet-ipv6",
       "leave", "captive-again"]  # fmt: skip


@dataclass
class Program:
    """``parvis visit`` in a resident's namespace."""

    resident: Resident
    folder: Path
    authority: Path

    def walks(self, *more: str) -> dict[str, str]:
        """Step -> what was wrong."""
        argv = ("ip", "netns", "exec", self.resident.namespace)
        inside = apart(self.folder, PARVIS, "visit", API, "--json", "--ca", str(self.authority), *more)
        lines = sh(*argv, *inside, check=False, timeout=60).splitlines()
        return {step["name"]: step["wrong"] for step in map(json.loads, lines)}


@pytest.fixture
def program(twin: Twin, anna: Resident) -> Program:
    if not anna.api()["captive"]:
        anna.leaves()
    return Program(anna, twin.folder, twin.certificate)


def test_f55_a_program_finds_the_portal_accepts_is_online_leaves_and_is_captive_again(program: Program) -> None:
    assert program.walks() == dict.fromkeys(WAY, "")


def exchanged(twin: Twin, *names: str) -> None:
    for name in names:
        twin.stop(name)
    for name in reversed(names):
        {"kea": twin.start_kea, "dnsmasq": twin.start_dnsmasq, "gatewayd": twin.start_gatewayd,
         "portal": twin.start_portal}[name]()  # fmt: skip


@pytest.mark.parametrize(
    "parts", [("kea",), ("dnsmasq",), ("gatewayd",), ("portal",), ("portal", "gatewayd", "dnsmasq")]
)
def test_r13_the_program_walks_the_whole_way_after_any_exchange_of_parts(
    twin: Twin, anna: Resident, program: Program, parts: tuple[str, ...]
) -> None:
    exchanged(twin, *parts)
    anna.joins()

    assert program.walks() == dict.fromkeys(WAY, "")


def test_what_a_visit_that_was_cut_off_left_open_is_closed_by_the_next(program: Program) -> None:
    program.resident.accepts()

    assert program.walks() == dict.fromkeys(WAY, "")


def stop_portal(twin: Twin) -> Callable[[], None]:
    twin.stop("portal")
    return twin.start_portal


def stop_gatewayd(twin: Twin) -> Callable[[], None]:
    twin.stop("gatewayd")
    return twin.start_gatewayd


def stop_names(twin: Twin) -> Callable[[], None]:
    twin.stop("dnsmasq")
    return twin.start_dnsmasq


def open_the_door(twin: Twin) -> Callable[[], None]:
    assert b'"ok":true' in twin.ask(b'{"op": "open", "seconds": 60}')[0]
    return lambda: print(twin.ask(b'{"op": "open", "seconds": 0}', uid=PORTAL_UID))


def cut_the_fibre(twin: Twin) -> Callable[[], None]:
    twin.within("gw", "ip", "link", "set", "wan0", "down")

    def mend() -> None:
        link = twin.site.uplink
        twin.within("gw", "ip", "link", "set", "wan0", "up")
        twin.within("gw", "ip", "addr", "replace", f"{link.ipv6}/64", "dev", "wan0", "nodad")
        twin.within("gw", "ip", "route", "replace", "default", "via", str(link.peer))
        twin.within("gw", "ip", "-6", "route", "replace", "default", "via", str(link.ipv6_peer))

    return mend


@pytest.mark.parametrize(
    ("breaks", "step", "words"),
    [
        (stop_portal, "api-captive", "does not answer"),
        (stop_gatewayd, "api-captive", "the API answers 503"),
        (stop_names, "api-captive", "does not answer"),
        (open_the_door, "api-captive", "says that this device is online"),
        (cut_the_fibre, "probe-apple", "does not answer"),
    ],
)
def test_f55_the_first_step_that_goes_wrong_is_named_with_what_was_wrong(
    twin: Twin, program: Program, breaks: Callable[[Twin], Callable[[], None]], step: str, words: str
) -> None:
    mend = breaks(twin)
    try:
        found = program.walks()
    finally:
        mend()

    assert list(found)[-1] == step
    assert words in found[step]


def test_a_certificate_nobody_vouches_for_is_told(twin: Twin, program: Program) -> None:
    program.authority = twin.internet_authority
    assert ssl.create_default_context(cafile=str(program.authority))

    assert "the certificate of wifi.cachan.example" in program.walks()["api-captive"]
