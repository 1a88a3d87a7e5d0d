"""Settings from a file and the environment; secrets by name; wrong ones are sentences."""

from pathlib import Path

import pytest

from parvis.settings import ProcessSettings, SecretMissing, SettingsError, find_secret, load, unknown_variables
from parvis.values import Secret


class DoorSettings(ProcessSettings):
    pace_seconds: float = 1.0


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "door.toml"
    file.write_text('port = 1\nlisten = "127.0.0.2"\n')
    monkeypatch.setenv("PARVIS_PORT", "2")

    settings = load(DoorSettings, file)

    assert (settings.port, settings.listen) == (2, "127.0.0.2")


def test_the_file_may_be_named_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "door.toml"
    file.write_text("pace_seconds = 3\n")
    monkeypatch.setenv("PARVIS_SETTINGS", str(file))

    assert load(DoorSettings).pace_seconds == 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("pace_secnods = 1\n", "pace_secnods: unknown key; did you mean pace_seconds?"),
        ("port = 70000\n", "port: "),
        ('log_level = "loud"\n', "log_level: "),
        ("port = \n", "is not TOML"),
    ],
)
def test_a_wrong_setting_says_file_key_and_reason(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "door.toml"
    file.write_text(text)

    with pytest.raises(SettingsError) as caught:
        load(DoorSettings, file)

    assert says in str(caught.value)
    assert str(file) in str(caught.value)


def test_a_settings_file_that_is_not_there_is_an_error_not_the_defaults(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no such settings file"):
        load(DoorSettings, tmp_path / "gone.toml")


def test_variables_nobody_reads_are_found() -> None:
    environment = {"PARVIS_TWON": "x", "PARVIS_TOWN": "y", "PARVIS_SETTINGS": "z", "HOME": "h"}

    assert unknown_variables(DoorSettings, environment) == ["PARVIS_TWON"]


def test_systemds_credential_comes_before_the_folder(tmp_path: Path) -> None:
    systemd, folder = tmp_path / "systemd", tmp_path / "folder"
    for place, text in ((systemd, "one\n"), (folder, "two\n")):
        place.mkdir()
        (place / "snmp-auth").write_text(text)

    secret = find_secret("snmp-auth", folder, {"CREDENTIALS_DIRECTORY": str(systemd)})

    assert secret.reveal() == "one"


@pytest.mark.parametrize("content", [None, "", "\n"])
def test_a_secret_that_is_missing_or_empty_is_named_with_where_it_was_sought(
    tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "snmp-auth").write_text(content)

    with pytest.raises(SecretMissing, match="snmp-auth") as caught:
        find_secret("snmp-auth", tmp_path, {})

    assert str(tmp_path) in str(caught.value)


def test_a_secret_never_prints_itself() -> None:
    secret = Secret("hunter2")

    assert "hunter2" not in f"{secret} {secret!r} {[secret]} {vars(DoorSettings)}"
