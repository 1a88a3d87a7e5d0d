"""The console's parts alone: the chained log, the throttle, the verdicts, the commands."""

import json
import stat
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from staff import PASSWORD, issued

from captive_portal.console.audit import CUT, KEPT_MONTHS, START, Audit, Broken, Entry, NotWritten
from captive_portal.console.commands import console, console_facts
from captive_portal.console.throttle import MOST_KEPT, WINDOW_SECONDS, Throttle
from captive_portal.console.upkeep import Upkeep
from captive_portal.console.verdict import WAY, WORDS, judge, rows
from captive_portal.legal import time_signal
from captive_portal.legal.clock_marks import Witness
from captive_portal.legal.time_signal import Truth
from captive_portal.settings import ConsoleSettings
from parvis.running import start_logging
from parvis.settings import SettingsError, load

ENTRY = Entry("2026-01-09T15:00:00.000+00:00", "agent", "technician", "block", "mairie", "K7F-2QD", "abus")


def log(folder: Path, number: int = 5) -> tuple[Audit, Path]:
    audit = Audit(folder)
    for n in range(number):
        audit.write(replace(ENTRY, about=str(n)))
    return audit, folder / "audit-2026-01.jsonl"


# --- the log


def test_the_chain_says_how_many_lines_there_are_and_how_it_ends(tmp_path: Path) -> None:
    audit, _ = log(tmp_path)
    five = audit.verify()
    audit.write(ENTRY)

    assert (five[0], audit.verify()[0]) == (5, 6)
    assert five[1] != audit.verify()[1]
    assert Audit(tmp_path / "empty").verify() == (0, START)


@pytest.mark.parametrize(
    "harm",
    [
        lambda lines: [*lines[:2], lines[2].replace(b"abus", b"rien"), *lines[3:]],
        lambda lines: [*lines[:2], *lines[3:]],
        lambda lines: [lines[1], lines[0], *lines[2:]],
        lambda lines: [*lines[:2], lines[2], lines[2], *lines[3:]],
        lambda lines: [*lines[:-1], lines[-1][:-10]],
        lambda lines: [*lines[:2], b"not json\n", *lines[2:]],
        lambda lines: [*lines[:2], b'{"at":"x","before":"' + b"0" * 64 + b'"}\n', *lines[2:]],
    ],
    ids=["changed", "removed", "swapped", "repeated", "cut", "garbage", "foreign"],
)
def test_whatever_is_done_to_a_line_breaks_the_chain(
    tmp_path: Path, harm: Callable[[list[bytes]], list[bytes]]
) -> None:
    audit, path = log(tmp_path)
    path.write_bytes(b"".join(harm(path.read_bytes().splitlines(keepends=True))))

    with pytest.raises(Broken, match=r"audit-2026-01\.jsonl, line"):
        audit.verify()


@pytest.mark.parametrize("left", [1, 40, -1])
def test_a_line_that_a_power_cut_left_without_its_end_costs_no_other_line(tmp_path: Path, left: int) -> None:
    audit, path = log(tmp_path)
    *whole, last = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(whole) + last[:left])
    audit.write(replace(ENTRY, about="after"))
    after, cut, *_ = audit.newest(3)

    assert audit.verify()[0] == 4 + 2
    assert (after.about, cut.did, cut.who) == ("after", CUT, "parvis")
    assert cut.how == last[:left].decode()


@pytest.mark.parametrize("other", ["2025-12-31T23:59:00.000+00:00", "1970-01-01T00:00:09.000+00:00"])
def test_a_clock_that_was_set_back_a_month_breaks_no_chain(tmp_path: Path, other: str) -> None:
    audit, _ = log(tmp_path)
    audit.write(replace(ENTRY, at=other))
    audit.write(ENTRY)

    assert audit.verify()[0] == 5 + 2
    assert [entry.at for entry in audit.newest(3)] == [ENTRY.at, other, ENTRY.at]


def test_sec12_months_written_while_the_clock_was_ahead_are_erased_like_others(tmp_path: Path) -> None:
    audit, _ = log(tmp_path)
    audit.write(replace(ENTRY, at="2062-05-01T00:00:00.000+00:00"))
    audit.write(ENTRY)
    beside = audit.tidy(date(2026, 1, 31)), audit.verify()[0]
    audit.tidy(date(2026, 2, 1))
    audit.write(replace(ENTRY, at="2026-02-01T00:00:00.000+00:00"))

    assert beside == (0, 7)
    assert (audit.verify()[0], audit.tidy(date(2027, 3, 1)), audit.verify()[0]) == (8, 2, 0)


def test_several_writers_make_one_chain(tmp_path: Path) -> None:
    def write() -> None:
        mine = Audit(tmp_path)
        for _ in range(20):
            mine.write(ENTRY)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert Audit(tmp_path).verify()[0] == 80


def test_only_its_owner_reads_the_log(tmp_path: Path) -> None:
    _, path = log(tmp_path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_log_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotWritten):
        Audit(tmp_path / "nowhere").write(ENTRY)


def test_f56_sec12_months_that_are_too_old_are_erased_and_the_chain_still_holds(tmp_path: Path) -> None:
    audit = Audit(tmp_path)
    for month in range(1, 13):
        audit.write(replace(ENTRY, at=f"2025-{month:02}-15T00:00:00.000+00:00"))
    audit.write(ENTRY)
    gone = [audit.tidy(date(2026, 1, 31)), audit.tidy(date(2026, 2, 1)), audit.tidy(date(2026, 4, 30))]

    assert KEPT_MONTHS == 12
    assert gone == [0, 1, 2]
    assert audit.verify()[0] == 10
    assert audit.newest(1)[0].at == ENTRY.at


@pytest.mark.parametrize("kept", [True, False])
def test_sec12_a_clock_that_is_not_believed_erases_nothing(
    settings: Path, monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    monkeypatch.setattr(time_signal, "truth", lambda: Truth(0.0, synchronised=kept))
    made = load(ConsoleSettings, settings)
    made.audit().mkdir(parents=True)
    audit = Audit(made.audit())
    audit.write(replace(ENTRY, at="2020-01-15T00:00:00.000+00:00"))
    audit.write(replace(ENTRY, at=datetime.now(UTC).isoformat()))
    witness = Witness(made.clock(), audit.newest_day)

    assert Upkeep(audit, witness, made.records()).wrong() == ""
    assert audit.verify()[0] == (1 if kept else 2)


def test_sec12_whoever_answers_for_the_clock_has_the_old_months_erased(
    settings: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(time_signal, "truth", lambda: Truth(0.0, synchronised=True))
    start_logging("console", "info")
    made = load(ConsoleSettings, settings)
    made.audit().mkdir(parents=True)
    audit = Audit(made.audit())
    audit.write(replace(ENTRY, at="2020-01-15T00:00:00.000+00:00"))
    witness = Witness(made.clock(), audit.newest_day)
    Upkeep(audit, witness, made.records()).wrong()
    before = audit.verify()[0]
    answered = run(settings, "--clock-is-right", "dpo")
    Upkeep(audit, witness, made.records()).wrong()

    assert (before, audit.verify()[0], answered.exit_code) == (1, 0, 0)
    assert "console --clock-is-right" in capsys.readouterr().err


@given(st.text())
def test_any_text_without_an_address_is_kept_as_it_is(tmp_path_factory: pytest.TempPathFactory, why: str) -> None:
    audit = Audit(tmp_path_factory.mktemp("audit"))
    try:
        audit.write(replace(ENTRY, why=why))
    except ValueError:
        return

    assert audit.newest(1)[0].why == why


# --- the throttle


@given(st.lists(st.floats(0, 3 * WINDOW_SECONDS), max_size=30), st.integers(1, 6))
def test_nobody_gets_more_attempts_than_the_window_allows(waits: list[float], most: int) -> None:
    door, let_in = Throttle(most), []
    for now in sorted(waits):
        if not door.closed_for("anna", now):
            door.failed("anna", now)
            let_in.append(now)

    for start in let_in:
        assert sum(start <= now < start + WINDOW_SECONDS for now in let_in) <= most


def test_the_throttle_forgets_before_it_fills_the_memory() -> None:
    door = Throttle(5)
    for number in range(MOST_KEPT + 100):
        door.failed(str(number), 0.0)

    assert len(door._failures) == MOST_KEPT


# --- the verdicts

NOTHING: dict[str, Any] = {
    "lease_age": None, "ipv4": 0, "ipv6": 0, "neighbour": None, "session": None, "seconds": None,
    "bytes_up": 0, "bytes_down": 0, "blocked": None, "twice": None,
}  # fmt: skip


def known(*steps: str, gateway: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    seen = {step: {"first": 100.0 - n, "last": 100.0 - n, "count": 1} for n, step in enumerate(steps)}
    base = {"steps": seen, "gateway": {**NOTHING, **(gateway or {})}, "uplink": True, "open": 0}
    return {**base, "blocked": None, "closed": None, "refusal": None, "slowed": False, **more}


@pytest.mark.parametrize(
    ("facts", "what"),
    [
        (known(), "no-lease"),
        (known(gateway={"lease_age": 3.0}), "no-probe"),
        (known(gateway={"ipv6": 1}), "no-probe"),
        (known("probe", gateway={"lease_age": 3.0}), "no-page"),
        (known("probe", "api"), "no-page"),
        (known("probe", "page"), "not-accepted"),
        (known("page", "accepted"), "not-admitted"),
        (known("page", "accepted", "admitted", "left"), "left"),
        (known("page", "accepted", "admitted", "expired"), "expired"),
        (known("accepted", "admitted", "idle"), "idle"),
        (known("accepted", "admitted", "revoked"), "revoked"),
        (known("page", "refused"), "refused"),
        (known("left", "page", "accepted"), "not-admitted"),
        (known("accepted", gateway={"session": 1}), "no-byte"),
        (known("accepted", gateway={"session": 1, "bytes_up": 9}), "no-answer"),
        (known("accepted", gateway={"session": 1, "bytes_up": 9, "bytes_down": 9}), "online"),
        (known("page", open=60), "open"),
        (known(gateway={"session": 1, "bytes_down": 9}, uplink=False), "uplink"),
        (known(blocked={"left": 60}), "blocked"),
        (known(gateway={"blocked": 60.0}), "blocked"),
        (known("page", closed={"left": 60}), "closed"),
        (known("page", refusal="closed-hours"), "hours"),
        (known("page", refusal="full"), "full"),
        (known("accepted", gateway={"session": 1, "bytes_down": 9}, slowed=True), "slowed"),
    ],
)
def test_the_verdict_says_where_it_stopped(facts: dict[str, Any], what: str) -> None:
    verdict = judge(facts)

    assert verdict.what == what
    assert all(verdict.words)
    assert verdict.online == (what in {"online", "open", "slowed"})


def test_every_verdict_there_are_words_for_can_be_reached() -> None:
    marks = test_the_verdict_says_where_it_stopped.pytestmark[0].args[1]

    assert {what for _, what in marks} == set(WORDS)


def test_the_rows_follow_the_way_and_the_gateways_word_counts() -> None:
    found = rows(known("page", "accepted", "left", gateway={"lease_age": 3.0, "neighbour": "failed"}))

    assert [row.step for row in found] == [*WAY, "left"]
    assert {row.step for row in found if row.done} == {"lease", "page", "accepted", "left"}


# --- the commands


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    ca, certificate, key = issued(tmp_path, "console")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "management-token").write_text("t" * 40)
    path = tmp_path / "console.toml"
    facts = {"state": tmp_path / "state", "secrets": tmp_path / "secrets", "authority": ca}
    lines = {**facts, "certificate": certificate, "key": key}
    path.write_text("".join(f'{name} = "{value}"\n' for name, value in lines.items()))
    return path


def run(settings: Path, *words: str, given: str = "") -> Any:
    return CliRunner().invoke(console, ["--settings", str(settings), *words], input=given)


def test_accounts_are_kept_by_commands(settings: Path) -> None:
    made = run(settings, "account", "add", "agent", "--role", "technician", "--password-stdin", given=PASSWORD + "\n")
    twice = run(settings, "account", "add", "agent", "--role", "reader", "--password-stdin", given=PASSWORD + "\n")
    run(settings, "account", "disable", "agent")
    listed = run(settings, "account", "list")
    unknown = run(settings, "account", "disable", "nobody")

    assert (made.exit_code, "█" in made.output, PASSWORD in made.output) == (0, True, False)
    assert (twice.exit_code, "agent exists" in twice.output) == (1, True)
    assert listed.output.split() == ["agent", "technician", "disabled"]
    assert (unknown.exit_code, "there are agent" in unknown.output) == (1, True)


@pytest.mark.parametrize("text", ["", "[]", '{"agent": {}}', '{"agent": {"role": "king"}}', "\udc80"])
def test_a_damaged_file_of_accounts_is_named(settings: Path, text: str) -> None:
    run(settings, "account", "add", "agent", "--role", "dpo", "--password-stdin", given=PASSWORD + "\n")
    path = load(ConsoleSettings, settings).accounts()
    path.write_bytes(text.encode(errors="surrogateescape"))
    listed, added = run(settings, "account", "list"), run(settings, "account", "disable", "agent")

    assert [(each.exit_code, f"{path}: is damaged; restore it" in each.output) for each in (listed, added)] == [
        (1, True),
        (1, True),
    ]
    assert path.read_bytes() == text.encode(errors="surrogateescape")


def test_a_reset_account_has_another_password_and_another_code(settings: Path) -> None:
    first = run(settings, "account", "add", "agent", "--role", "dpo", "--password-stdin", given=PASSWORD + "\n")
    second = run(settings, "account", "reset", "agent", "--password-stdin", given="another long password\n")

    assert first.output.rsplit(": ", 1)[1] != second.output.rsplit(": ", 1)[1]


def test_the_log_is_verified_by_a_command(settings: Path, tmp_path: Path) -> None:
    folder = tmp_path / "state" / "audit"
    folder.mkdir(parents=True)
    _, path = log(folder)
    whole = run(settings, "audit", "verify")
    path.write_bytes(path.read_bytes().replace(b"abus", b"rien", 1))
    broken = run(settings, "audit", "verify")

    assert (whole.exit_code, "5 lines, whole" in whole.output) == (0, True)
    assert (broken.exit_code, "broken at" in broken.output) == (1, True)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('oidc_issuer = "https://id.example"', "wants oidc_client"),
        ("oidc_client = 5", "oidc_client"),
        ("oidc_rolls = 5", "did you mean oidc_roles"),
    ],
)
def test_settings_that_are_wrong_are_named(settings: Path, line: str, says: str) -> None:
    from parvis.settings import load  # noqa: PLC0415

    settings.write_text(settings.read_text() + line + "\n")
    with pytest.raises(SettingsError, match=says):
        console_facts(load(ConsoleSettings, settings))


def test_what_the_console_is_handed_names_every_site_and_is_json(settings: Path) -> None:
    from parvis.settings import load  # noqa: PLC0415

    facts = console_facts(load(ConsoleSettings, settings))

    assert json.loads(json.dumps(facts)).keys() == facts.keys()
    assert {site["name"] for site in facts["sites"]} >= {"maison-services-publics", "leo-lagrange"}
