"""A requisition from the order on paper to the signed answer, by the commands staff type; and who is refused."""

import csv
import hashlib
import json
import re
import subprocess
import time
import zlib
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pyotp
import pytest
from click.testing import CliRunner, Result
from sealed_days import ANNA, GATEWAY, Disk, all_said, head, lease, row, session

from captive_portal.console.accounts import Accounts
from captive_portal.console.roles import Role
from captive_portal.legal import injunction, sealing, town_keys
from captive_portal.legal.legal_commands import legal
from captive_portal.legal.officers import NOTICE_VERSION
from captive_portal.legal.segment import Store

DAY = datetime.now(UTC).date().isoformat()
"""Cases and days are of today: what is older would be erased."""
PASSWORD = "un mot de passe assez long"
AT = f"{DAY}T10:30:00Z"
PORT = "1259"


class Town:
    """An archive with a sealed day, holders' envelopes, and people who sign in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = folder / "archive.toml"
        self.settings.write_text(f'state = "{folder}/archive"\nholders = "{folder}/holders.json"\n')
        done = self.run(
            "ceremony", *(f"--holder={name}" for name in ("dir", "arch", "not")), f"--shares-into={folder}/e"
        )
        assert done.exit_code == 0, done.output
        self.public = town_keys.read((folder / "holders.json").read_text())
        self.steps: dict[str, int] = {}
        self.disk = Disk(folder / "archive")
        self.disk.made = type("Made", (), {"public": self.public})()  # type: ignore[assignment]

    def run(self, *words: str, typed: str = "") -> Result:
        return CliRunner().invoke(legal, ["--settings", str(self.settings), *words], input=typed)

    def words(self, holder: str, store: str) -> str:
        """A holder reads the envelope of a store."""
        lines = (self.folder / "e" / f"{holder}.txt").read_text().splitlines()
        return next(line.partition(": ")[2] for line in lines if f"store {store}:" in line)

    def hire(self, name: str, role: str, *, notice: bool = True) -> None:
        done = self.run("account", name, "--role", role, "--password-stdin", typed=f"{PASSWORD}\n")
        assert done.exit_code == 0, done.output
        if notice:
            assert self.run("acknowledge", typed=self.sign(name) + "lu et compris\n").exit_code == 0

    def sign(self, name: str, later: int = 0) -> str:
        """What *name* types: a code counts once, so the clock of the account is turned back instead of waiting."""
        accounts = Accounts(self.folder / "archive" / "accounts.json")
        data = json.loads((self.folder / "archive" / "accounts.json").read_text())
        data[name]["used"] = 0
        (self.folder / "archive" / "accounts.json").write_text(json.dumps(data))
        return f"{name}\n{PASSWORD}\n{pyotp.TOTP(accounts.all()[name].totp).at(time.time() + later)}\n"

    def shares(self, store: str = "A", holders: tuple[str, str] = ("dir", "not")) -> str:
        return "".join(f"{self.words(holder, store)}\n" for holder in holders)

    def open_case(self) -> str:
        order = self.folder / "order.pdf"
        order.write_bytes(b"%PDF the order")
        words = ("--authority=Commissariat", "--basis=CPP 60-1-2 2°", "--reference=PV 2026/118", f"--dated={DAY}")
        done = self.run("case", "open", *words, f"--order={order}", typed=self.sign("ana"))
        assert done.exit_code == 0, done.output
        number = done.output.split("case ")[1].split()[0]
        approved = self.run("case", "approve", number, typed=self.sign("bob"))
        assert approved.exit_code == 0, approved.output
        return number

    def search(self, number: str, *asked: str, people: tuple[str, str] = ("ana", "bob"), more: str = "") -> Result:
        typed = "".join(self.sign(name) for name in people) + self.shares() + more
        return self.run("search", number, *asked, f"--into={self.folder}/usb", typed=typed)

    def journal(self) -> list[dict[str, str]]:
        paths = sorted((self.folder / "archive" / "journal").glob("*.jsonl"))
        return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    made = Town(tmp_path_factory.mktemp("town"))
    made.disk.day(datetime.now(UTC).date())
    rows = [row(f"{DAY}T10:10:00", f"{DAY}T10:11:00", 7, "10.11.0.5", "203.0.113.80")]
    made.disk.write_rows(f"{DAY}T12:00:00", rows)
    people = {"ana": "requisition", "bob": "requisition", "eva": "requisition-b", "luc": "requisition-b", "dpo": "dpo"}
    for name, role in people.items():
        made.hire(name, role)
    return made


ASKED = ("--address=198.51.100.2", f"--port={PORT}", f"--at={AT}")


def test_req04_req07_the_answer_is_the_matching_row_in_both_times_signed_with_its_method(town: Town) -> None:
    number = town.open_case()
    done = town.search(number, *ASKED)
    assert done.exit_code == 0, done.output
    usb = town.folder / "usb"
    (found,) = csv.DictReader(StringIO((usb / "reponse.csv").read_text()), delimiter=";")

    assert (found["mac"], found["adresse_privee"], found["session"]) == (ANNA, "10.11.0.5", "7")
    assert found["debut_utc"] == f"{DAY}T10:00:00.000+00:00"
    assert (
        found["debut_local"][:13]
        == datetime.fromisoformat(f"{DAY}T10:00:00+00:00").astimezone(ZoneInfo("Europe/Paris")).isoformat()[:13]
    )
    for name in ("reponse.csv", "reponse.pdf"):
        check = subprocess.run(
            ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "ville.pem", "-rawin", "-in", name, "-sigfile",
             f"{name}.sig"], cwd=usb, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert "Signature Verified Successfully" in check.stdout, name
    (usb / "reponse.csv").write_text((usb / "reponse.csv").read_text().replace(ANNA, "02:00:00:00:00:0c"))
    public = sealing.signed(
        town.public.signer, (usb / "reponse.csv").read_bytes(), (usb / "reponse.csv.sig").read_bytes()
    )
    assert not public, "a changed answer is told by its signature"
    assert (usb / "reponse.pdf").read_bytes().startswith(b"%PDF")


def test_req04_the_sheet_says_case_question_method_clock_digest_and_costs(town: Town) -> None:
    number = town.open_case()
    assert town.search(number, *ASKED).exit_code == 0
    usb = town.folder / "usb"
    digest = hashlib.sha256((usb / "reponse.csv").read_bytes()).hexdigest()
    text = pdf_text(usb / "reponse.pdf")

    for words in (number, "CPP 60-1-2 2°", "198.51.100.2", "RFC 7422", "0.250 ms", digest[:40], "R.213-1", "Ed25519"):
        assert spaceless(words) in text, words


def pdf_text(path: Path) -> str:
    """The words of a PDF page, by Debian's chromium-free way: inflate its streams."""
    parts = re.findall(rb"stream\r?\n(.*?)endstream", path.read_bytes(), re.DOTALL)
    found = b""
    for part in parts:
        try:
            found += zlib.decompress(part)
        except zlib.error:
            continue
    text = "".join(one.decode("latin-1") for one in re.findall(rb"\(((?:[^()\\]|\\.)*)\)", found))
    return spaceless(text.replace("\\(", "(").replace("\\)", ")"))


def spaceless(text: str) -> str:
    """Without spaces: lines are wrapped anywhere."""
    return "".join(text.split())


def test_req04_the_copy_that_stays_opens_with_two_holders_only(town: Town) -> None:
    number = town.open_case()
    town.search(number, *ASKED)
    place = town.folder / "archive" / "cases" / number
    everything = b"".join(path.read_bytes() for path in place.iterdir())

    assert {path.name for path in place.iterdir()} == {"case.json", "order.sealed", "answer-001.sealed"}
    assert ANNA.encode() not in everything
    assert b"10.11.0.5" not in everything
    assert b"198.51.100.2" not in everything


def test_req01_without_an_approved_case_nobody_asks(town: Town) -> None:
    assert "no case is called 2026-999" in town.search("2026-999", *ASKED).output
    order = town.folder / "order.pdf"
    order.write_bytes(b"%PDF")
    words = ("--authority=x", "--reference=y", f"--dated={DAY}", f"--order={order}")
    wrong = town.run("case", "open", *words, "--basis=CPI L.336-3", typed=town.sign("ana"))
    assert wrong.exit_code == 2, "rights holders have no basis"
    done = town.run("case", "open", *words, "--basis=CPP 60-1", typed=town.sign("ana"))
    number = done.output.split("case ")[1].split()[0]
    alone = town.run("case", "approve", number, typed=town.sign("ana"))
    assert "somebody else approves it" in alone.output

    refused = town.search(number, *ASKED)

    assert refused.exit_code == 1
    assert "waits for a second person" in refused.output


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (("--address=198.51.100.0/24", "--port=1259", f"--at={AT}"), "networks and wildcards cannot be asked for"),
        (("--address=198.51.100.2", f"--at={AT}"), "give the source port too"),
        (("--mac=02:00:00", f"--from={AT}", f"--to={AT}"), "a part of one cannot be asked for"),
        (("--mac=*", f"--from={AT}", f"--to={AT}"), "cannot be asked for"),
        ((*ASKED, "--tolerance=301"), "300 s at most"),
        ((*ASKED, f"--mac={ANNA}"), "ask one question"),
        ((), "ask one question"),
        ((f"--mac={ANNA}", f"--from={AT}"), "--to is missing"),
        (("--address=198.51.100.2", "--port=1259", "--at=2026-10-25T02:30:00"), "happened twice"),
        (("--address=198.51.100.2", "--port=1259", "--at=yesterday"), "is no moment"),
        (("--session=maison-services-publics", f"--on={DAY}"), "is written SITE/NUMBER"),
        ((f"--mac={ANNA}", "--from=2026-01-01T00:00:00Z", "--to=2026-06-01T00:00:00Z"), "31 days"),
    ],
)
def test_req02_no_other_question_is_answered(town: Town, asked: tuple[str, ...], words: str) -> None:
    done = town.run("search", "2026-001", *asked, f"--into={town.folder}/usb")

    assert done.exit_code == 1
    assert words in " ".join(done.output.split())


def test_req02_more_than_24_hours_need_a_second_approval(town: Town) -> None:
    number = town.open_case()
    month = f"{DAY[:8]}01T00:00:00Z" if DAY[8:] > "03" else "2026-01-01T00:00:00Z"
    end = datetime.fromisoformat(month).timestamp() + 2 * 86_400
    asked = (f"--mac={ANNA}", f"--from={month}", f"--to={datetime.fromtimestamp(end, UTC).isoformat()}")
    refused = town.search(number, *asked)
    assert "more than 24 hours need a second approval" in refused.output
    town.run("case", "approve", number, "--wide", typed=town.sign("bob"))

    assert town.search(number, *asked).exit_code == 0


def test_req03_two_people_are_needed_and_one_twice_is_one(town: Town) -> None:
    number = town.open_case()
    typed = town.sign("ana") + town.sign("ana", later=30) + town.shares()
    done = town.run("search", number, *ASKED, f"--into={town.folder}/usb", typed=typed)

    assert done.exit_code == 1
    assert "two people are needed" in done.output
    assert town.journal()[-1]["how"] == "refused: the same person twice"


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.REQUISITION, Role.REQUISITION_B}))
def test_req03_every_other_role_is_refused_and_journaled(town: Town, role: Role) -> None:
    number, name = town.open_case(), f"x-{role.value}"
    town.hire(name, role.value)
    done = town.search(number, *ASKED, people=(name, "bob"))

    assert done.exit_code == 1
    assert "403" in done.output
    last = town.journal()[-1]
    assert (last["who"], last["role"], last["did"], last["how"]) == (name, role.value, "search", "refused: role")


def test_req03_a_wrong_code_or_a_stranger_is_refused_and_journaled(town: Town) -> None:
    number = town.open_case()
    for typed in (f"ana\n{PASSWORD}\n000000\n", f"mairesse\n{PASSWORD}\n123456\n"):
        done = town.run("search", number, *ASKED, f"--into={town.folder}/usb", typed=typed)
        assert "403: name, password or code is wrong" in done.output
        assert town.journal()[-1]["how"] == "refused: name, password or code"


def test_communications_need_the_other_role_and_the_other_envelopes(town: Town) -> None:
    number = town.open_case()
    refused = town.search(number, *ASKED, "--traffic")
    assert "403" in refused.output
    wrong = town.search(number, *ASKED, "--traffic", people=("eva", "luc"), more=town.shares("A"))
    assert "take the store's envelopes" in wrong.output

    done = town.search(number, *ASKED, "--tolerance=300", "--traffic", people=("eva", "luc"), more=town.shares("B"))

    assert done.exit_code == 0, done.output
    assert len((town.folder / "usb" / "trafic.csv").read_text().splitlines()) == 1, "it had ended before"
    window = (f"--mac={ANNA}", f"--from={DAY}T10:00:00Z", f"--to={DAY}T11:00:00Z", "--traffic")
    town.search(number, *window, people=("eva", "luc"), more=town.shares("B"))
    (found,) = csv.DictReader(StringIO((town.folder / "usb" / "trafic.csv").read_text()), delimiter=";")
    assert (found["destinataire"], found["port_destinataire"], found["protocole"]) == ("203.0.113.80", "443", "TCP")


def test_one_share_opens_nothing_and_a_wrong_word_is_told(town: Town) -> None:
    one = town.words("dir", "A")
    assert "the same twice" in town.run("try", "A", typed=f"{one}\n{one}\n").output
    spoiled = one.replace(one.split()[5], "zebra", 1)
    assert "do not make a key" in town.run("try", "A", typed=f"{spoiled}\n{town.words('not', 'A')}\n").output

    done = town.run("try", "A", typed=f"{town.words('arch', 'A')}\n{town.words('not', 'A')}\n")

    assert "these shares open it" in done.output
    assert one not in done.output, "what is typed is not shown"


def test_req05_every_reading_is_journaled_before_and_after_and_the_dpo_reviews_it(town: Town) -> None:
    number = town.open_case()
    town.search(number, *ASKED)
    lines = [(one["who"], one["did"], one["how"]) for one in town.journal() if one["about"] == f"case {number}"]

    assert lines[-4:] == [("ana", "search", "begun"), ("bob", "search", "begun"), ("ana", "search", "1 rows"),
                          ("bob", "search", "1 rows")]  # fmt: skip
    review = town.run("journal", f"--month={DAY[:7]}", typed=town.sign("dpo"))
    assert f"case {number}" in review.output
    assert "chain whole" in review.output
    refused = town.run("journal", typed=town.sign("ana"))
    assert "403" in refused.output
    written = json.dumps(town.journal())
    assert ANNA not in written
    assert "198.51.100.2" not in written


def test_req05_a_changed_line_of_the_journal_is_told(tmp_path: Path) -> None:
    town = Town(tmp_path)
    town.hire("ana", "requisition")
    assert "every chain is whole" in town.run("verify").output
    path = next((tmp_path / "archive" / "journal").glob("*.jsonl"))
    path.write_text(path.read_text().replace("ceremony", "nothing much", 1))

    done = town.run("verify")

    assert done.exit_code == 1
    assert "journal: broken" in done.output


def test_req06_nothing_works_before_the_secrecy_notice_is_acknowledged(town: Town) -> None:
    town.hire("new", "requisition", notice=False)
    number = town.open_case()
    refused = town.search(number, *ASKED, people=("new", "bob"))
    assert "has not acknowledged the secrecy notice" in refused.output
    assert town.journal()[-1]["how"] == "refused: secrecy notice not acknowledged"
    shown = town.run("acknowledge", typed=town.sign("new") + "oui\n")
    assert "432-9" in shown.output
    assert "nothing was written" in shown.output

    town.run("acknowledge", typed=town.sign("new") + "lu et compris\n")

    assert town.search(number, *ASKED, people=("new", "bob")).exit_code == 0
    assert (town.folder / "archive" / "acknowledged" / "new").read_text().startswith(NOTICE_VERSION)
    (town.folder / "archive" / "acknowledged" / "new").write_text("")  # as a power cut may leave it
    again = town.search(number, *ASKED, people=("new", "bob"))
    assert "has not acknowledged the secrecy notice" in again.output


def test_a_day_whose_key_was_destroyed_is_told_and_not_guessed(tmp_path: Path) -> None:
    town = Town(tmp_path)
    for name in ("ana", "bob"):
        town.hire(name, "requisition")
    town.disk.write(f"{DAY}T12:00:00", [head(f"{DAY}T00:00:00"), all_said(f"{DAY}T00:00:00"),
                                        lease(f"{DAY}T10:00:00", ANNA, "10.11.0.5"),
                                        session(f"{DAY}T10:00:00", ANNA, 7)])  # fmt: skip
    number = town.open_case()
    (town.disk.keys / f"A-{GATEWAY}-{DAY}.key").unlink()

    done = town.search(number, *ASKED)

    assert done.exit_code == 1
    assert "was destroyed" in done.output
    assert not (tmp_path / "usb").exists()


def test_the_ceremony_keeps_no_whole_key_and_replaces_none_unasked(tmp_path: Path) -> None:
    town = Town(tmp_path)
    kept = b"".join(path.read_bytes() for path in (tmp_path / "archive" / "private").iterdir())
    before = (tmp_path / "holders.json").read_text()

    assert len(kept) == 64, "the signing key and store C's"
    again = town.run("ceremony", "--holder=a", "--holder=b", f"--shares-into={tmp_path}/f")
    assert "--renew replaces the keys" in again.output
    assert (tmp_path / "holders.json").read_text() == before
    assert town.run("ceremony", "--holder=a", f"--shares-into={tmp_path}/f", "--renew").exit_code == 1
    assert town.run("ceremony", "--holder=a", "--holder=b", f"--shares-into={tmp_path}/f", "--renew").exit_code == 0
    assert Store.SOURCE in town_keys.read((tmp_path / "holders.json").read_text()).stores
    assert [path.name for path in tmp_path.glob("holders.until-*")] != []


def test_ret06_a_choice_about_the_injunction_is_in_the_journal_with_who_made_it(town: Town) -> None:
    days = ("--from=2026-10-21", "--to=2027-10-20")
    chosen = town.folder / "choice.json"
    unnamed = town.run("injunction", "--on", "--by=La maire", *days, f"--into={chosen}")
    assert "names no decree" in unnamed.output
    assert not chosen.exists()

    town.run("injunction", "--on", "--by=La maire", "--decree=décret n° 2026-900", *days, f"--into={chosen}")

    last = town.journal()[-1]
    assert (last["did"], last["why"]) == ("injunction", "La maire")
    assert "décret n° 2026-900" in last["how"]
    assert injunction.read(chosen.read_text(), town.public.signer).in_force(date(2027, 10, 20))
