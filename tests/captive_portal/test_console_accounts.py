"""The accounts' file of the console: whose it is, what is in it, and which codes count."""

import os
import stat
import threading
from pathlib import Path

import pyotp
import pytest
from staff import PASSWORD

from captive_portal.console import accounts as accounts_module
from captive_portal.console.accounts import AccountError, Accounts
from captive_portal.console.roles import Role


def test_the_accounts_file_is_its_owners_alone_and_holds_no_password(tmp_path: Path) -> None:
    Accounts(tmp_path / "accounts.json").add("agent", Role.READER, PASSWORD)
    path = tmp_path / "accounts.json"

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert PASSWORD not in path.read_text("utf-8")
    assert "$argon2id$" in path.read_text("utf-8")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_an_account_made_by_root_is_the_consoles(tmp_path: Path) -> None:
    os.chown(tmp_path, 61006, 61006)
    Accounts(tmp_path / "accounts.json").add("agent", Role.READER, PASSWORD)

    assert (tmp_path / "accounts.json").stat().st_uid == 61006


def test_a_code_counts_once_for_many_at_once(tmp_path: Path) -> None:
    accounts = Accounts(tmp_path / "accounts.json")
    made = accounts.add("agent", Role.READER, PASSWORD)
    code, found = pyotp.TOTP(made.totp).at(1_000_000), []
    threads = [
        threading.Thread(target=lambda: found.append(accounts.sign_in("agent", PASSWORD, code, 1_000_000)))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(one is not None for one in found) == 1


def test_an_older_code_does_not_count_after_a_newer_one(tmp_path: Path) -> None:
    accounts = Accounts(tmp_path / "accounts.json")
    made = accounts.add("agent", Role.READER, PASSWORD)
    older, newer = (pyotp.TOTP(made.totp).at(1_000_000 + 30 * n) for n in (0, 1))

    assert accounts.sign_in("agent", PASSWORD, newer, 1_000_000) is not None
    assert accounts.sign_in("agent", PASSWORD, older, 1_000_000) is None


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "１２３４５６", "-12345", "1e5"])
def test_what_is_no_code_never_counts(tmp_path: Path, code: str) -> None:
    accounts = Accounts(tmp_path / "accounts.json")
    accounts.add("agent", Role.READER, PASSWORD)

    assert accounts.sign_in("agent", PASSWORD, code, 1_000_000) is None


def test_an_unknown_name_costs_as_many_hashes_as_a_known_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    accounts = Accounts(tmp_path / "accounts.json")
    accounts.add("agent", Role.READER, PASSWORD)
    asked: list[str] = []
    monkeypatch.setattr(accounts_module, "_matches", lambda hashed, _password: bool(asked.append(hashed)))
    for name in ("agent", "nobody"):
        accounts.sign_in(name, "x", "000000", 1_000_000)

    assert [hashed.startswith("$argon2id$") for hashed in asked] == [True, True]


@pytest.mark.parametrize(("name", "password"), [("", PASSWORD), ("Agent", PASSWORD), ("a b", PASSWORD), ("a", "short")])
def test_an_account_that_cannot_be_made_is_refused(tmp_path: Path, name: str, password: str) -> None:
    with pytest.raises(AccountError):
        Accounts(tmp_path / "accounts.json").add(name, Role.READER, password)
    assert Accounts(tmp_path / "accounts.json").all() == {}
