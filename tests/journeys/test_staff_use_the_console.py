"""Journey: a resident calls with the code of the day; a technician finds the device and acts, in a real browser."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyotp
import pytest

from actors import MSP, PORTAL, Resident, eventually
from lab.town import Lab

pytestmark = [pytest.mark.root, pytest.mark.slow]
BROWSER = Path(__file__).with_name("staff_browser.py")
PASSWORD = "a long password for the journey"
CODE = re.compile(r"\b[2-9A-HJKMNP-TV-Z]{3}-[2-9A-HJKMNP-TV-Z]{3}\b")


class Technician:
    """Somebody of the staff, at a browser in the centre."""

    def __init__(self, twin: Lab, folder: Path, name: str) -> None:
        printed = twin.account(name, "technician", PASSWORD)
        self.name, self.totp = name, pyotp.TOTP(printed.rsplit(": ", 1)[1].strip())
        ca = str(twin.folder / "tls" / "ca.pem")
        argv = twin.command("centre", [sys.executable, str(BROWSER), ca, str(folder)])
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def does(self, *order: Any) -> dict[str, str]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "the browser ended"
        found: dict[str, str] = json.loads(line)
        return found

    def signs_in(self) -> dict[str, str]:
        self.does("open", "/")
        fields = {"name": self.name, "password": PASSWORD, "code": self.totp.now()}
        self.does("send", "main form", fields)
        return self.does("send", "main form", {})  # the notice on secrecy, once an account

    def looks_at_the_site(self) -> None:
        """Open the site's page until the site answers: on a machine with much to do it may be late, and shown so."""
        page = f"/lieux/{MSP}"
        eventually(lambda: "Ne répond pas" not in self.does("open", page)["text"], "the site answers the console")

    def orders(self, kind: str, **fields: str) -> dict[str, str]:
        self.looks_at_the_site()
        return self.does("send", f"form:has(input[name=kind][value={kind}]):has([name=minutes])", fields)

    def ends(self, kind: str) -> dict[str, str]:
        self.looks_at_the_site()
        return self.does("send", f'form[action$="/fin"]:has(input[name=kind][value={kind}])', {"why": "fin de l'essai"})

    def goes_home(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(20)


@pytest.fixture
def technician(twin: Lab, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Technician]:
    made = Technician(twin, tmp_path, f"t{abs(hash(request.node.name)) % 10**8}")
    try:
        yield made
    finally:
        made.goes_home()


def code_of(phone: Resident) -> str:
    """What the resident reads out."""
    found = CODE.search(phone.opens(f"{PORTAL}fr/status").page.body)
    assert found is not None, phone.page.body
    return found[0]


def test_f52_f49_a_device_is_found_by_its_code_disconnected_and_blocked(
    twin: Lab, resident: Callable[[str], Resident], technician: Technician
) -> None:
    phone = resident(f"{MSP}/1").accepts()
    assert phone.is_online()
    code = code_of(phone)

    assert "Lieux" in technician.signs_in()["title"]
    found = technician.does("open", f"/appareil?code={code.lower()}")
    assert "L'appareil est en ligne" in found["text"]
    assert "Conditions acceptées oui" in found["text"]

    done = technician.does("send", 'form[action$="/deconnecter"]', {"why": "demande du résident"})
    seconds = eventually(phone.is_captive, "captive after the disconnection")
    print(f"captive {seconds:.1f} s after the answer to the technician")
    assert "C'est fait" in done["text"]
    assert "Des agents ont déconnecté cet appareil" in done["text"]

    technician.does("send", 'form[action$="/bloquer"]', {"minutes": "5", "why": "abus signalé"})
    page = phone.opens(f"{PORTAL}fr/").page.body
    assert "/accept" not in page
    assert "est suspendu" in page
    assert "Des agents ont bloqué cet appareil" in technician.does("open", f"/appareil?code={code}")["text"]

    technician.ends("block")
    phone.accepts()
    assert phone.is_online()
    written = "".join(path.read_text("utf-8") for path in (twin.folder / "centre/console/audit").iterdir())
    assert [json.loads(line)["did"] for line in written.splitlines()][-5:] == [
        "sign-in",
        "secrecy-notice",
        "disconnect",
        "block",
        "block",
    ]
    assert phone.twin.resident(phone.name).mac.text not in written


def test_the_site_is_closed_and_opened_and_its_door_opens_to_all_for_two_minutes(
    twin: Lab, resident: Callable[[str], Resident], technician: Technician
) -> None:
    phone = resident(f"{MSP}/1").accepts()
    technician.signs_in()

    technician.orders("closed", minutes="10", why="exercice d'évacuation")
    eventually(phone.is_captive, "captive while closed")
    assert "/accept" not in phone.opens(f"{PORTAL}fr/").page.body
    technician.ends("closed")

    opened = technician.orders("open-door", minutes="2", why="panne du portail")
    eventually(phone.is_online, "online through the open door, without accepting")
    assert "Porte ouverte à tous" in opened["text"]
    technician.ends("open-door")
    eventually(phone.is_captive, "captive after the door was closed")
    assert twin.process("console").alive


def test_cgu11_a_banner_is_on_the_splash_page_at_once(
    resident: Callable[[str], Resident], technician: Technician
) -> None:
    phone = resident(f"{MSP}/1")
    technician.signs_in()
    technician.orders(
        "banner", minutes="30", why="alerte", fr="Faux courriels au nom de la ville.", en="False mails in our name."
    )

    assert "Faux courriels au nom de la ville." in phone.opens(f"{PORTAL}fr/").page.body
    assert "False mails in our name." in phone.opens(f"{PORTAL}en/").page.body
    technician.ends("banner")
    assert "Faux courriels" not in phone.opens(f"{PORTAL}fr/").page.body


def test_f43_r32_the_open_door_closes_itself_while_portal_and_console_are_gone(
    twin: Lab, resident: Callable[[str], Resident], technician: Technician
) -> None:
    phone = resident(f"{MSP}/1")
    technician.signs_in()
    technician.orders("open-door", minutes="1", why="panne du portail")
    eventually(phone.is_online, "online through the open door")
    for name in ("console", "gw-msp.portal"):
        twin.stop(name)
    try:
        eventually(lambda: not phone.is_online(), "the kernel closed the door", seconds=90)
    finally:
        for name in ("gw-msp.portal", "console"):
            twin.start(name)
    eventually(phone.is_captive, "captive again")
    assert not phone.is_online()
