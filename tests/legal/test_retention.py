"""Kept as long as the law says and not a day longer: in the archive, in backups, under an order to keep."""

import json
import re
import shutil
from base64 import b64decode
from dataclasses import fields, replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import pytest
import yaml
from legal_town import ON, write_keys
from sealed_days import ANNA, GATEWAY, MADE, Disk, row

from captive_portal.console.audit import Entry
from captive_portal.legal import day_keys, erasing, injunction, reading, report, retention, sealing
from captive_portal.legal.archive import Keeper
from captive_portal.legal.bindings import KINDS, Thing
from captive_portal.legal.cases import Case, Cases
from captive_portal.legal.clock_marks import Witness
from captive_portal.legal.commands import evidence_facts
from captive_portal.legal.conntrack import Flow
from captive_portal.legal.injunction import Choice, NotChosen
from captive_portal.legal.ledger import newest_day
from captive_portal.legal.officers import journal_in
from captive_portal.legal.orders import OrderError, add, release
from captive_portal.legal.reading import Erased
from captive_portal.legal.retention import Day, Hold
from captive_portal.legal.segment import Broken, Name, Store
from captive_portal.legal.settings import EvidenceSettings
from parvis.kept import kept_days
from parvis.settings import SettingsError

ROOT = Path(__file__).parents[2]
DAY = date(2026, 11, 30)
MASTERS = [MADE.security]


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path / "archive")


class Sure(Witness):
    """The clock is believed: these tests say which day it is."""

    def doubts(self) -> str:
        return ""


def keeper(disk: Disk) -> Keeper:
    base = disk.sealed.parent
    cases = Cases(base / "cases")
    journal, clock = journal_in(base / "journal"), Sure(base / "clock.json", partial(newest_day, disk.sealed))
    return Keeper(disk.sealed, disk.keys, base / "holds.json", cases, base / "reports", journal, MADE.signer, clock)


def readable(disk: Disk, day: date, store: Store = Store.SECURITY) -> bool:
    """Whether the day can be read with the key of who may (store C's, which needs no ceremony here)."""
    name = Name(store, GATEWAY, day, 1)
    try:
        return bool(list(reading.blocks(disk.sealed, disk.keys, name, MASTERS)))
    except (Erased, FileNotFoundError):
        return False


@pytest.mark.parametrize("store", [Store.SOURCE, Store.TRAFFIC])
def test_ret04_there_on_the_anniversary_gone_within_a_day(disk: Disk, store: Store) -> None:
    disk.day(DAY, store)
    keeper(disk).purge(date(2027, 11, 29))
    assert erasing.days_in(disk.sealed, disk.keys) == [Day(store, GATEWAY, DAY)]
    keeper(disk).purge(date(2027, 11, 30))
    assert erasing.days_in(disk.sealed, disk.keys) == [Day(store, GATEWAY, DAY)]

    keeper(disk).purge(date(2027, 12, 1))

    assert erasing.days_in(disk.sealed, disk.keys) == []
    assert [path.name for path in disk.sealed.parent.rglob("*2026-11-30*")] == []


def test_ret08_the_security_store_is_gone_after_ninety_days(disk: Disk) -> None:
    disk.day(DAY, Store.SECURITY)
    assert kept_days("security-log") == 90
    keeper(disk).purge(DAY + timedelta(days=90))
    assert readable(disk, DAY)

    keeper(disk).purge(DAY + timedelta(days=91))

    assert not readable(disk, DAY)


def test_ret05_a_restored_backup_cannot_be_read_once_the_key_is_destroyed(disk: Disk, tmp_path: Path) -> None:
    disk.day(DAY, Store.SECURITY)
    shutil.copytree(disk.sealed, tmp_path / "backup")
    assert readable(disk, DAY)
    keeper(disk).purge(date(2027, 12, 31))

    shutil.copytree(tmp_path / "backup", disk.sealed, dirs_exist_ok=True)

    with pytest.raises(Erased, match="was destroyed"):
        list(reading.blocks(disk.sealed, disk.keys, Name(Store.SECURITY, GATEWAY, DAY, 1), MASTERS))


def test_ret05_each_day_and_store_has_a_key_of_its_own(disk: Disk) -> None:
    for store in Store:
        disk.day(DAY, store)
        disk.day(DAY + timedelta(days=1), store)
    public = {day_keys.read(path.read_text()).public for path in disk.keys.glob("*.key")}

    assert len(public) == 6


def test_f57_a_gateway_cannot_open_what_it_has_sealed(disk: Disk) -> None:
    """All it has, tried as a private key: public halves, wrapped halves, the town's public file."""
    disk.day(DAY, Store.SECURITY)
    key = day_keys.read(next(disk.keys.glob("*.key")).read_text())
    on_the_gateway = [key.public, key.wrapped[:32], key.wrapped[-32:], *MADE.public.stores.values(), MADE.public.signer]

    for known in on_the_gateway:
        with pytest.raises((sealing.NotOurs, ValueError)):
            list(reading.blocks(disk.sealed, disk.keys, Name(Store.SECURITY, GATEWAY, DAY, 1), [known]))
    assert readable(disk, DAY)


def test_req04_a_cases_papers_and_answers_go_a_year_after_it_was_closed(disk: Disk) -> None:
    here = keeper(disk)
    made = Case("2026-001", "Commissariat", "CPP 60-1", "PV 1", "2026-11-30", "0" * 64, "ana", "2026-11-30", "bob")
    here.cases.save(replace(made, closed="2026-12-10"))
    here.cases.save(replace(made, id="2026-002"))
    (here.cases.place("2026-001") / "answer-001.sealed").write_bytes(b"sealed")
    here.purge(date(2027, 12, 10))
    assert [one.id for one in here.cases.all()] == ["2026-001"], (
        "the other, never closed, went a year after it was opened"
    )

    here.purge(date(2027, 12, 11))

    assert here.cases.all() == []
    assert [path for path in disk.sealed.parent.rglob("*") if "2026-00" in str(path) or "answer" in path.name] == []
    assert "purge" in next((disk.sealed.parent / "journal").glob("*.jsonl")).read_text()


def test_req05_the_journal_of_readings_is_kept_a_year_and_no_longer(disk: Disk) -> None:
    here = keeper(disk)
    for month in ("2026-11", "2026-12"):
        here.journal.audit.write(Entry(at=f"{month}-15T10:00:00+00:00", who="ana", role="requisition", did="search"))
    here.purge(date(2027, 11, 30))
    assert len(list((disk.sealed.parent / "journal").glob("audit-*.jsonl"))) == 2

    here.purge(date(2027, 12, 1))

    assert [path.name for path in (disk.sealed.parent / "journal").glob("audit-*.jsonl")] == ["audit-2026-12.jsonl"]
    assert here.journal.audit.verify()[0] == 1


def test_ret06_the_recorder_does_not_start_where_nobody_has_chosen(tmp_path: Path) -> None:
    holders, chosen = write_keys(tmp_path, MADE)
    given = EvidenceSettings(site="maison-services-publics", holders=holders, choice=chosen, state=tmp_path / "state")
    assert evidence_facts(given)["choice"]["by"] == "La maire"
    chosen.write_text(chosen.read_text().replace("La maire", "Le maire"))
    with pytest.raises(SettingsError, match="not signed by this town"):
        evidence_facts(given)
    chosen.unlink()

    with pytest.raises(SettingsError, match="nobody has chosen yet whether communications are recorded"):
        evidence_facts(given)


def test_ret10_a_held_day_survives_the_purge_and_goes_after_its_release(disk: Disk) -> None:
    disk.day(DAY)
    today = date(2027, 12, 1)
    here = keeper(disk)
    order = Hold("PV 2027/118", "Procureur", Store.SOURCE, DAY, DAY, today + timedelta(days=60))
    add(here.holds, order, today)
    here.purge(today + timedelta(days=30))
    assert len(erasing.days_in(disk.sealed, disk.keys)) == 1

    release(here.holds, "PV 2027/118", today + timedelta(days=30))
    here.purge(today + timedelta(days=30))

    assert erasing.days_in(disk.sealed, disk.keys) == []


def test_ret10_an_order_ends_by_itself_and_lasts_ninety_days_at_most(disk: Disk) -> None:
    disk.day(DAY)
    today = date(2027, 12, 1)
    here = keeper(disk)
    with pytest.raises(OrderError, match="more than 90 days"):
        add(here.holds, Hold("1", "Procureur", Store.SOURCE, DAY, DAY, today + timedelta(days=91)), today)
    with pytest.raises(OrderError, match="somebody who gave it"):
        add(here.holds, Hold("1", " ", Store.SOURCE, DAY, DAY, today), today)
    add(here.holds, Hold("1", "Procureur", Store.SOURCE, DAY, DAY, today + timedelta(days=90)), today)
    here.purge(today + timedelta(days=90))
    assert len(erasing.days_in(disk.sealed, disk.keys)) == 1

    here.purge(today + timedelta(days=91))

    assert erasing.days_in(disk.sealed, disk.keys) == []


def test_erasing_that_was_interrupted_goes_on_the_next_time(disk: Disk) -> None:
    """The key went, the file did not: the day is unreadable already, and the file goes now."""
    disk.day(DAY)
    next(disk.keys.glob("*.key")).unlink()

    keeper(disk).purge(date(2027, 12, 1))

    assert erasing.days_in(disk.sealed, disk.keys) == []


def test_ret06_nothing_starts_without_a_named_persons_signed_choice() -> None:
    signer = MADE.public.signer
    assert injunction.read(ON.text(MADE.signer), signer) == ON
    forged = json.loads(ON.text(MADE.signer)) | {"ends": "2027-12-31"}
    with pytest.raises(NotChosen, match="not signed by this town"):
        injunction.read(json.dumps(forged), signer)
    nobody = Choice(enabled=False, by=" ", on="2026-11-30")
    with pytest.raises(NotChosen, match="says not who chose"):
        injunction.read(nobody.text(MADE.signer), signer)
    with pytest.raises(NotChosen, match="is no choice"):
        injunction.read("{}", signer)


def test_ret06_an_injunction_lasts_a_year_at_most_and_its_end_is_announced_thirty_days_before() -> None:
    assert "longer than a year" in Choice(True, "x", "", "d", "2026-01-01", "2027-01-02").faults()
    ends = ("2025-12-31", "2026-01-01", "2026-12-31", "2027-01-02")
    assert [Choice(True, "x", "", "d", "2026-01-01", end).faults() == "" for end in ends] == [False, True, True, False]
    assert ON.in_force(date(2026, 12, 31))
    assert not ON.in_force(date(2027, 1, 1))
    assert ON.days_left(date(2026, 12, 2)) == 29
    assert Choice(enabled=False, by="x", on="").days_left(DAY) is None
    alert = yaml.safe_load((ROOT / "parvis/alerts.yml").read_text())["InjonctionBientotFinie"]
    levels = yaml.safe_load((ROOT / "parvis/catalogue.yml").read_text())["evidence_injunction_days_left"]["levels"]
    assert alert["metric"] == "evidence_injunction_days_left"
    assert levels[alert["level"]] == "< 30"


def test_ret06_rows_of_a_lapsed_injunction_live_to_their_own_year(disk: Disk) -> None:
    disk.write_rows(
        "2026-12-31T12:00:00", [row("2026-12-31T11:00:00", "2026-12-31T11:01:00", 7, "10.11.0.5", "203.0.113.80")]
    )

    keeper(disk).purge(date(2027, 12, 31))
    assert len(erasing.days_in(disk.sealed, disk.keys)) == 1
    keeper(disk).purge(date(2028, 1, 1))
    assert erasing.days_in(disk.sealed, disk.keys) == []


def test_ret07_ret09_no_field_of_any_store_can_hold_a_name_a_url_or_an_identity() -> None:
    """Store A: an address, a number or a moment; store B: addresses, ports, moments. Nothing is a free text."""
    kept = {*Thing._fields, *Flow._fields}

    assert kept == {"kind", "mac", "ip", "number", "start", "stop", "protocol", "mark", "source", "sport", "target",
                    "tport", "pport", "open"}  # fmt: skip
    assert set(KINDS) == {"lease4", "known6", "came6", "auth", "open", "blocked"}
    forbidden = re.compile(r"host|url|sni|dns|name|email|phone|header|agent|payload|content", re.IGNORECASE)
    assert [one for one in kept if forbidden.search(one)] == []
    assert [one.name for one in fields(Hold) if forbidden.search(one.name)] == []


def test_ret11_the_report_is_signed_counts_each_store_and_says_what_is_overdue(disk: Disk) -> None:
    disk.day(DAY)
    disk.day(DAY, Store.SECURITY)
    here = keeper(disk)
    said = here.report(date(2027, 12, 2))
    text = next(here.reports.glob("*.json")).read_text()

    assert {letter: (one["days"], one["oldest"], one["overdue"]) for letter, one in said["stores"].items()} == {
        "A": (1, "2026-11-30", 1),
        "B": (0, None, 0),
        "C": (1, "2026-11-30", 1),
    }
    whole = json.loads(text)
    data = json.dumps(whole["report"], ensure_ascii=False, sort_keys=True).encode()
    assert sealing.signed(MADE.public.signer, data, b64decode(whole["signature"]))
    assert not sealing.signed(MADE.public.signer, data + b" ", b64decode(whole["signature"]))
    assert ANNA not in text
    assert "10.11.0.5" not in text


def test_ret11_purge_age_clock_and_gap_each_have_their_alert() -> None:
    alerts = yaml.safe_load((ROOT / "parvis/alerts.yml").read_text())

    assert "93600" in alerts["EffacementEnRetard"]["expr"], "26 hours"
    assert "archive_overdue_days" in alerts["EffacementEnRetard"]["expr"]
    assert "evidence_clock_offset_seconds" in alerts["HorlogePreuves"]["expr"]
    assert "evidence_sessions" in alerts["LacunePreuves"]["expr"]


def test_ret13_every_alarm_about_missing_evidence_comes_within_five_minutes() -> None:
    alerts = yaml.safe_load((ROOT / "parvis/alerts.yml").read_text())
    waits = {
        name: alerts[name]["for"]
        for name in ("PreuvesNonEcrites", "EnregistreurMuet", "LacunePreuves", "ReservePreuvesEntamee", "HorlogeReglee",
                     "EffacementRefuse", "EffacementRefuseArchive")
    }  # fmt: skip

    assert all(int(wait.removesuffix("m")) < 5 for wait in waits.values()), waits
    assert "> 240" in alerts["PreuvesNonCollectees"]["expr"]
    assert alerts["PreuvesNonCollectees"]["for"] == "1m"


@pytest.mark.parametrize("harm", ["a bit", "a block left out", "a file left out", "two files swapped", "the end cut"])
def test_a_chain_tells_every_change(disk: Disk, harm: str) -> None:
    for n in range(4):
        disk.day(DAY + timedelta(days=n))
    names = sorted(path for path in disk.sealed.glob("A-*.sealed"))
    kept = keeper(disk).report(DAY)
    assert [one.broken for one in report.chains(disk.sealed, DAY)] == [""]
    data = names[1].read_bytes()
    if harm == "a bit":
        names[1].write_bytes(data[:60] + bytes([data[60] ^ 1]) + data[61:])
    elif harm == "a block left out":
        names[1].write_bytes(b"")
    elif harm == "a file left out":
        names[1].unlink()
    elif harm == "two files swapped":
        names[1].write_bytes(names[2].read_bytes())
        names[2].write_bytes(data)
    else:
        names[3].write_bytes(names[3].read_bytes()[:-5])

    broken = [one.broken for one in report.chains(disk.sealed, DAY) if one.broken]
    assert broken or report.changed_since(disk.sealed, kept)


def test_a_report_kept_elsewhere_proves_that_the_whole_end_was_not_replaced(disk: Disk) -> None:
    """A chain made anew is whole in itself; only yesterday's report knows that it is another."""
    disk.day(DAY)
    kept = keeper(disk).report(DAY)
    assert report.changed_since(disk.sealed, kept) == []
    shutil.rmtree(disk.sealed)
    Disk(disk.sealed.parent).day(DAY)

    assert [one.broken for one in report.chains(disk.sealed, DAY)] == [""]
    assert report.changed_since(disk.sealed, kept) == [f"store A of {GATEWAY}, block 1: is not the one of 2026-11-30"]


def test_what_was_erased_breaks_no_chain(disk: Disk) -> None:
    for n in range(3):
        disk.day(DAY + timedelta(days=n))
    keeper(disk).purge(date(2027, 12, 2))

    assert [(one.blocks, one.broken) for one in report.chains(disk.sealed, DAY)] == [(1, "")]


def test_a_block_moved_to_another_day_does_not_open(disk: Disk) -> None:
    disk.day(DAY, Store.SECURITY)
    disk.day(DAY + timedelta(days=1), Store.SECURITY)
    first, second = sorted(disk.sealed.glob("C-*.sealed"))
    second.write_bytes(first.read_bytes())

    with pytest.raises((sealing.NotOurs, Broken)):
        list(reading.blocks(disk.sealed, disk.keys, Name.read(second.name), MASTERS))


def test_a_day_that_comes_again_after_the_clock_was_set_back_goes_on_with_its_key(disk: Disk) -> None:
    disk.day(DAY + timedelta(days=1), Store.SECURITY)
    disk.day(DAY, Store.SECURITY)
    disk.day(DAY + timedelta(days=1), Store.SECURITY)

    assert len(list(disk.keys.glob("*.key"))) == 2
    assert [one.broken for one in report.chains(disk.sealed, DAY)] == [""]
    for path in disk.sealed.glob("*.sealed"):
        assert list(reading.blocks(disk.sealed, disk.keys, Name.read(path.name), MASTERS))


def test_ret14_a_communication_takes_few_octets_on_the_disk(disk: Disk) -> None:
    """The estimate the disks are bought by: 25 octets a row, two rows for what outlasts a look."""
    rows = [
        row(f"2026-11-30T10:{n // 60 % 60:02}:{n % 60:02}", f"2026-11-30T11:{n // 60 % 60:02}:{n % 60:02}", n % 200 + 1,
            f"10.11.0.{n % 200 + 1}", f"203.0.113.{n * 7 % 251}", 443)
        for n in range(2000)
    ]  # fmt: skip
    disk.write_rows("2026-11-30T12:00:00", rows)
    size = sum(path.stat().st_size for path in disk.sealed.glob("B-*"))

    assert size / len(rows) < 25


@pytest.mark.parametrize("day", [date(2027, 2, 28), date(2028, 2, 29), date(2026, 12, 31)])
def test_ret04_a_year_is_a_calendar_year(day: date) -> None:
    last = retention.last_day(Store.SOURCE, day)

    assert (last.year, last.month) == (day.year + 1, day.month)
    assert 365 <= (last - day).days <= 366


def test_a_day_kept_by_an_order_stands_alone_and_breaks_no_chain(disk: Disk) -> None:
    for n in range(3):
        disk.day(DAY + timedelta(days=n))
    today = date(2027, 12, 2)
    here = keeper(disk)
    add(here.holds, Hold("1", "Procureur", Store.SOURCE, DAY, DAY, today), today)
    here.purge(today)

    assert [one.day for one in erasing.days_in(disk.sealed, disk.keys)] == [DAY, DAY + timedelta(days=2)]
    assert [one.broken for one in report.chains(disk.sealed, today)] == [""]
