"""An installed town is upgraded, put back, cut short, and comes back: follows tests/ansible/test_install_root.py."""

import re
from contextlib import suppress

from installation import FOLLOWING, GATEWAY, OLDER, PREFIX, Installation, recap, sessions, tail, version, well
from machines import run, until

from actors import Resident
from parvis.instruments import VERSION

pytestmark = FOLLOWING
BROUGHT, INSTALLED = "program : Bring the package", "program : Install it"
GIGABYTE = 1024**3


def online(town: Installation) -> tuple[Resident, set[int]]:
    """Who went online in the first of these tests, and stays so; as phones do, it asks for its lease again."""
    phone = town.phone()
    until(phone.is_online, "who was online is not", 30)
    admitted = sessions(town.gateway)
    assert len(admitted) == 1
    return phone, admitted


def unpacking(town: Installation) -> bool:
    """Whether dpkg is about the package of ours: what it has not finished stands in its updates."""
    with suppress(OSError):  # a file that was there a moment ago
        told = (file.read_bytes() for file in (town.gateway.root / "var/lib/dpkg/updates").iterdir())
        return any(b"Package: parvis\n" in text for text in told)
    return False


def finishes(town: Installation, which: str) -> None:
    """Another run makes good what was cut short."""
    done = town.play("site.yml", which, "--limit", GATEWAY)

    assert done.returncode == 0, tail(done)
    assert version(town.gateway) == which


def test_an_upgrade_keeps_everybody_online(installed: Installation) -> None:
    phone = installed.phone()
    phone.accepts()
    before = sessions(installed.gateway)
    done = installed.play("site.yml", VERSION)

    assert done.returncode == 0, tail(done)
    assert VERSION in installed.gateway.ssh("parvis", "--version").stdout
    assert sessions(installed.gateway) == before
    assert before
    assert phone.is_online()


def test_changed_networks_are_read_again_and_nobody_notices(installed: Installation) -> None:
    phone, before = online(installed)
    gateway, file = installed.gateway, installed.gateway.root / "etc/systemd/network/10-parvis-guests.network"
    addresses = gateway.ssh("ip", "-brief", "address").stdout
    text = file.read_text()
    for one in (f"{text}# changed by hand\n", text):
        file.write_text(one)
        done = gateway.ssh("parvis", "settle", check=False, seconds=300)
        print(done.stdout)
        assert done.returncode == 0, done.stderr
        assert done.stdout in {"reload systemd-networkd.service\n", "restart systemd-networkd.service\n"}

    assert gateway.ssh("parvis", "settle", "--check").stdout == ""
    assert gateway.ssh("ip", "-brief", "address").stdout == addresses
    assert sessions(gateway) == before
    assert phone.is_online()


def test_what_does_not_pass_its_verification_is_put_back(installed: Installation) -> None:
    phone, before = online(installed)
    broken = {"portal": {"https_port": 443}}  # the portal may not bind it
    done = installed.play("site.yml", OLDER, "--limit", GATEWAY, "-e", "settle_patience=20", program_settings=broken)

    assert done.returncode != 0
    assert "was put back as it was before this run" in done.stdout, tail(done)
    assert version(installed.gateway) == VERSION
    assert sessions(installed.gateway) == before
    assert phone.is_online()
    assert well(installed.gateway)


def test_a_full_disk_stops_the_run_and_nobody_notices(installed: Installation) -> None:
    phone, before = online(installed)
    room = installed.gateway.free()
    run("fallocate", "--length", str(room - 8 * 1024**2), installed.gateway.folder / "ballast")
    done = installed.play("site.yml", OLDER, "--limit", GATEWAY)
    told = installed.gateway.ssh("parvis", "doctor", "--brief", check=False).stdout
    (installed.gateway.folder / "ballast").unlink()

    assert done.returncode != 0
    assert re.search("No space left|not enough|full", done.stdout), tail(done)
    assert "full: acceptances are refused" in told
    assert sessions(installed.gateway) == before
    assert phone.is_online()
    finishes(installed, OLDER)


def test_without_a_network_the_run_stops_and_nobody_notices(installed: Installation) -> None:
    phone, before = online(installed)
    # The centre's way to the gateway alone: residents' packets take the same fibre.
    way = ("ip", "-n", f"{PREFIX}centre", "route")
    lost = ("blackhole", f"{installed.gateway.address}/32")
    done = installed.play_until(INSTALLED, lambda: run(*way, "add", *lost), VERSION, "--limit", GATEWAY, "-T", "5")
    was_online = phone.is_online()
    run(*way, "delete", *lost)

    assert recap(done.stdout)[GATEWAY]["unreachable"] == 1, tail(done)
    assert was_online
    assert sessions(installed.gateway) == before
    finishes(installed, VERSION)
    assert phone.is_online()


def test_a_power_cut_in_the_middle_of_a_run_is_made_good_by_the_next(installed: Installation) -> None:
    phone, _ = online(installed)

    def strike() -> None:
        until(lambda: unpacking(installed), "dpkg does not unpack the package", 240)
        installed.gateway.cut_power()

    done = installed.play_until(INSTALLED, strike, OLDER, "--limit", GATEWAY, "-T", "5")
    run("ip", "netns", "exec", f"{PREFIX}{GATEWAY}", "nft", "flush", "ruleset")
    installed.gateway.boot()

    assert done.returncode != 0
    finishes(installed, OLDER)
    until(phone.is_online, "who was online is not", 60)
    again = installed.play("site.yml", OLDER, "--limit", GATEWAY)
    assert recap(again.stdout)[GATEWAY]["changed"] == 0, tail(again)


def test_after_a_power_cut_everybody_is_admitted_again(installed: Installation) -> None:
    phone, before = online(installed)
    installed.gateway.cut_power()
    run("ip", "netns", "exec", f"{PREFIX}{GATEWAY}", "nft", "flush", "ruleset")
    installed.gateway.boot()

    assert well(installed.gateway)
    until(phone.is_online, "who was online is not", 60)
    assert sessions(installed.gateway) == before
