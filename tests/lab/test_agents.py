"""Simulated agents, asked by Debian's own SNMP tools over the loopback."""

import asyncio
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator

import pytest

from lab.agents import ber
from lab.agents.agent import Agent, Device, engine_id
from lab.agents.answers import Picture
from lab.agents.serving import Listening
from lab.agents.standard import About
from lab.agents.tables import BUILDERS
from lab.agents.usm import User

SYS_DESCR = "1.3.6.1.2.1.1.1.0"
UP_TIME = "1.3.6.1.2.1.1.3.0"
SPELLED = {
    "SHA-1": "SHA",
    "AES-128": "AES",
    "AES-192-reeder": "AES-192-C",
    "AES-256-reeder": "AES-256-C",
}
Ask = Callable[..., "subprocess.CompletedProcess[str]"]

needs_tools = pytest.mark.skipif(shutil.which("snmpget") is None, reason="Debian's package snmp is not installed")


def about(name: str = "ap-1") -> About:
    return About(name, "AP-515", "127.0.0.1", "02:00:5e:01:01:03", "Accueil")


def device(vendor: str = "ubiquiti", auth: str = "SHA-256", privacy: str = "AES-128") -> Device:
    secrets = ("" if kind == "none" else secret for kind, secret in ((auth, "authsecret1"), (privacy, "privsecret1")))
    return Device(vendor, about(), "", 0, user=User("parvis", auth, privacy, *secrets))


@pytest.fixture
def serve() -> Iterator[Callable[[Agent], int]]:
    """``serve(agent)``: the loopback port where it answers."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def start(agent: Agent) -> int:
        opened = loop.create_datagram_endpoint(lambda: Listening(agent), ("127.0.0.1", 0))
        transport, _ = asyncio.run_coroutine_threadsafe(opened, loop).result(5)
        port: int = transport.get_extra_info("sockname")[1]
        return port

    yield start
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


def ask(
    port: int, *oids: str, tool: str = "snmpget", user: User, wrong: str = ""
) -> "subprocess.CompletedProcess[str]":
    auth, privacy = (SPELLED.get(kind, kind) for kind in (user.auth, user.privacy))
    login = ["-v3", "-l", ("noAuthNoPriv", "authNoPriv", "", "authPriv")[user.level], "-u", user.name]
    login += ["-a", auth, "-A", wrong or user.auth_secret] if user.auth_secret else []
    login += ["-x", privacy, "-X", user.privacy_secret] if user.privacy_secret else []
    argv = [tool, "-t1", "-r0", "-On", "-Oq", *login, f"127.0.0.1:{port}", *oids]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


@needs_tools
@pytest.mark.parametrize(
    ("auth", "privacy"),
    [
        ("none", "none"),
        ("SHA-256", "none"),
        ("MD5", "DES"),
        ("SHA-1", "AES-128"),
        ("SHA-1", "AES-256"),
        ("SHA-1", "AES-256-reeder"),
        ("SHA-224", "AES-128"),
        ("SHA-256", "AES-192"),
        ("SHA-384", "AES-256"),
        ("SHA-512", "AES-256"),
    ],
)
def test_every_protocol_of_the_inventory_speaks_with_net_snmp(
    serve: Callable[[Agent], int], auth: str, privacy: str
) -> None:
    agent = Agent(device("aruba", auth, privacy))
    user = agent.device.user
    assert user

    found = ask(serve(agent), SYS_DESCR, user=user)

    assert found.stdout.strip().endswith('"ArubaOS (MODEL: 515), Version 8.10.0.6-8.10.0.6"'), found.stderr


@needs_tools
@pytest.mark.parametrize("vendor", sorted(BUILDERS))
def test_a_walk_gives_every_object_once_in_order(serve: Callable[[Agent], int], vendor: str) -> None:
    agent = Agent(device(vendor), clock=lambda: 0.0)
    user = agent.device.user
    assert user

    walked = ask(serve(agent), ".1", tool="snmpbulkwalk", user=user).stdout.splitlines()

    names = [
        tuple(int(arc) for arc in line.split()[0].split(".")[1:]) for line in walked if "No more variables" not in line
    ]
    assert names == sorted(names)
    assert len(names) == len(set(names)) > 40
    assert names == sorted(agent._healthy()[0])


@needs_tools
def test_a_wrong_secret_is_named_as_such(serve: Callable[[Agent], int]) -> None:
    agent = Agent(device())
    user = agent.device.user
    assert user

    found = ask(serve(agent), SYS_DESCR, user=user, wrong="not-the-secret")

    assert "Authentication failure" in found.stderr


@needs_tools
def test_a_reboot_is_seen_by_its_uptime_and_survived_by_the_manager(serve: Callable[[Agent], int]) -> None:
    agent = Agent(device())
    user = agent.device.user
    assert user
    port = serve(agent)
    before = agent.uptime_seconds

    agent.suffer("reboot")

    assert ask(port, UP_TIME, user=user).stdout.split()[1].startswith("0:0:00:0")
    assert agent.uptime_seconds < before


@pytest.mark.parametrize("noise", [b"", b"\x30", b"\x30\x03\x02\x01\x03", b"\xff" * 40, b"\x30\x84\xff\xff\xff\xff"])
def test_noise_is_not_answered(noise: bytes) -> None:
    assert Agent(device()).answers(noise) == []


def test_engines_are_told_apart() -> None:
    assert engine_id("ap-1") != engine_id("ap-2")
    assert 5 <= len(engine_id("ap-1")) <= 32


def test_after_the_last_object_comes_the_end() -> None:
    picture = Picture.of({(1, 3, 1): (ber.INTEGER, 1), (1, 3, 2): (ber.INTEGER, 2)})

    assert picture.after((1, 2)) == ((1, 3, 1), (ber.INTEGER, 1))
    assert picture.after((1, 3, 1)) == ((1, 3, 2), (ber.INTEGER, 2))
    assert picture.after((1, 3, 2)) == ((1, 3, 2), (ber.END_OF_MIB, None))
    assert picture.get((1, 3, 3)) == (ber.NO_SUCH_OBJECT, None)
