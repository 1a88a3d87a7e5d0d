"""What answers beyond a site's uplink, asked by its gateway: hysteresis, and the real kernel's answers."""

import errno
import json
import socket
import subprocess
import sys
from dataclasses import asdict

import pytest

from captive_portal import beyond
from captive_portal.beyond import TURNS, Target
from captive_portal.commands import definitions
from parvis.instruments import Definition, registry_of
from parvis.inventory import Town
from parvis.running import start_logging

PROGRAM = """
import json, subprocess
from captive_portal import beyond
from captive_portal.commands import definitions
from dataclasses import asdict
from parvis.instruments import Definition, registry_of
from prometheus_client import generate_latest

for words in ("link set lo up", "address add 192.0.2.1/32 dev lo", "link add void0 type veth peer name void1",
              "address add 198.51.100.1/30 dev void0", "link set void0 up", "link set void1 up",
              "neighbour add 198.51.100.2 lladdr 02:00:5e:00:00:09 dev void0"):
    subprocess.run(["ip", *words.split()], check=True)
beyond.PATIENCE_SECONDS = 0.2
registry, made = registry_of("portal", [Definition(**asdict(one)) for one in definitions("portal")])
asked = beyond.Beyond("none", ["192.0.2.1", "::1", "198.51.100.2", "203.0.113.1"], made)
rests = [asked.look() for _ in range(beyond.TURNS)]
print(json.dumps({one.address: [one.up, one.window.loss_ratio, one.window.rtt_seconds] for one in asked.targets}))
lines = generate_latest(registry).decode().splitlines()
print(json.dumps([line for line in lines if line.startswith("uplink_target_up")]))
print(json.dumps(rests))
"""
ALLOW = 'echo "0 2147483647" > /proc/sys/net/ipv4/ping_group_range; exec "$@"'


@pytest.mark.root
def test_fib04_a_gateway_knows_of_each_target_beyond_its_uplink_whether_it_answers() -> None:
    words = ["unshare", "--net", "sh", "-c", ALLOW, "sh", sys.executable, "-c", PROGRAM]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    found, shown, rests = (json.loads(line) for line in done.stdout.splitlines() if line.startswith(("{", "[")))

    for address in ("192.0.2.1", "::1"):
        up, loss, rtt = found[address]
        assert (up, loss) == (True, 0.0)
        assert 0 < rtt < 1
    for address in ("198.51.100.2", "203.0.113.1"):
        assert found[address] == [False, 1.0, None]
    assert shown == [
        'uplink_target_up{target="192.0.2.1"} 1.0',
        'uplink_target_up{target="::1"} 1.0',
        'uplink_target_up{target="198.51.100.2"} 0.0',
        'uplink_target_up{target="203.0.113.1"} 0.0',
    ]
    assert all(0 <= rest <= 5 for rest in rests)


def test_a_kernel_without_ipv6_is_told_once_and_asked_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def without(_version: int) -> socket.socket:
        raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")

    _, made = registry_of("portal", [Definition(**asdict(one)) for one in definitions("portal")])
    monkeypatch.setattr(beyond, "ping_socket", without)
    start_logging("portal", "info")
    asked = beyond.Beyond("none", ["2001:db8::1"], made)

    assert [asked.look(), asked.look()] == [beyond.EVERY_SECONDS] * 2
    assert capsys.readouterr().err.count("no echoes beyond the uplink") == 1


def test_a_target_turns_only_after_several_rounds_and_the_first_answer_is_enough_to_begin() -> None:
    target, seen = Target("192.0.2.1"), []
    for rtt in (None, 0.01, None, None, 0.01, *[None] * TURNS, 0.01, 0.01, 0.01):
        target.after(rtt)
        seen.append(target.up)

    assert seen == [None, True, True, True, True, True, True, False, False, False, True]


def test_a_target_that_never_answered_is_down_after_as_many_rounds() -> None:
    target = Target("192.0.2.1")
    for _ in range(TURNS):
        assert target.up is None
        target.after(None)

    assert target.up is False


def test_a_site_may_have_targets_of_its_own(town: Town) -> None:
    site = town.sites[0]
    own = site.uplink.model_copy(update={"targets": town.internet_targets[::-1]})

    assert town.beyond(site) == town.internet_targets
    assert len(town.internet_targets) >= 2
    assert town.beyond(site.model_copy(update={"uplink": own})) == town.internet_targets[::-1]
