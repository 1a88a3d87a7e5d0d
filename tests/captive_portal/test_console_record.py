"""What the staff console writes down of its users' deeds, and its two languages."""

import json
import re
from io import BytesIO
from pathlib import Path

import pytest
from house import ANNA
from staff import Office, forms, words

from captive_portal.console.roles import Action, Role
from captive_portal.console.secrecy import DID
from captive_portal.console.verdict import WORDS

ROOM = Path(__file__).parents[2] / "captive_portal/console"


def test_f59_who_did_what_where_and_why_is_written(here: Office) -> None:
    here.house.visitor().accepts()
    code = here.house.timeline.code(ANNA)
    agent = here.staff()
    agent.post(f"/lieux/{here.site}/appareils/{code}/bloquer", minutes="5", why="abus signalé")
    last = here.entries()[0]

    assert {key: last[key] for key in ("who", "role", "did", "site", "about", "why", "how")} == {
        "who": "technician",
        "role": "technician",
        "did": "block",
        "site": here.site,
        "about": code,
        "why": "abus signalé",
        "how": "",
    }
    assert [entry["did"] for entry in here.entries()] == ["block", "sign-in"]


def test_f59_what_a_role_does_not_allow_is_written_too(here: Office) -> None:
    reader = here.staff(Role.READER)
    reader.post(f"/lieux/{here.site}/ordres", kind="closed", minutes="5", why="essai")

    assert (here.entries()[0]["did"], here.entries()[0]["how"]) == ("close", "forbidden")


def test_f59_nothing_is_done_when_it_cannot_be_written(here: Office) -> None:
    here.house.visitor().accepts()
    agent = here.staff()
    path, data = forms(here)[Action.DISCONNECT]
    token = re.findall(r'name="token" value="([^"]+)"', agent.get("/").text)[0]
    here.hall.audit._folder = here.folder / "not" / "there"
    answer = agent.post(path, token=token, **data)

    assert (answer.status_code, "rien n'a été fait" in words(answer.text)) == (503, True)
    assert ANNA in here.house.gateway.admitted()


def test_f59_sec12_the_log_is_read_by_the_dpo_and_a_changed_line_is_seen(here: Office) -> None:
    here.staff().post(f"/lieux/{here.site}/ordres", kind="closed", minutes="5", why="inondation")
    dpo = here.staff(Role.DPO)
    whole = dpo.get("/journal").text
    (path,) = here.audit_folder().iterdir()
    path.write_text(path.read_text("utf-8").replace("inondation", "essai"), "utf-8")
    broken = dpo.get("/journal").text

    assert "inondation" in whole
    assert "La chaîne est entière" in words(whole)
    assert "La chaîne du journal est rompue" in words(broken)


def test_f59_no_address_of_a_device_is_ever_written(here: Office) -> None:
    here.house.visitor().accepts()
    code = here.house.timeline.code(ANNA)
    admin = here.staff(Role.ADMINISTRATOR)
    for path, data in forms(here).values():
        if data:
            admin.post(path, **{**data, "why": "essai 02:00:00:00:00:0a"})
            admin.post(path, **data)
    (file,) = here.audit_folder().iterdir()
    written = file.read_text("utf-8")

    assert code in written
    assert not re.search(r"02:00:00|10\.11\.", written)
    assert all(json.loads(line)["before"] for line in written.splitlines())


def said_in_french() -> set[str]:
    from babel.messages.extract import extract_from_dir  # noqa: PLC0415

    found = extract_from_dir(str(ROOM / "templates"), [("**.html", "jinja2")])
    texts = {message for _, _, message, *_ in found if isinstance(message, str)}
    for path in ROOM.glob("*.py"):
        texts |= set(re.findall(r'\bsay\(\s*"([^"]+)"', path.read_text("utf-8")))
    return texts | {text for pair in WORDS.values() for text in pair}


def test_every_text_of_the_console_has_an_english_one_with_the_same_facts() -> None:
    english = json.loads((ROOM / "english.json").read_text("utf-8"))

    assert said_in_french() == set(english)
    for french, text in english.items():
        assert sorted(re.findall(r"%\(\w+\)s", french)) == sorted(re.findall(r"%\(\w+\)s", text)), french


def test_the_language_is_kept_for_the_visit(here: Office) -> None:
    agent = here.staff()
    agent.get("/?langue=en")

    assert '<html lang="en">' in agent.get("/").text
    assert "Each site, now" in agent.get("/").text
    assert '<html lang="fr">' in agent.get("/?langue=fr").text


def test_a_code_typed_badly_is_explained(here: Office) -> None:
    answer = here.staff().get("/appareil?code=%3Cscript%3E")

    assert (answer.status_code, "comme K7F-2QD" in words(answer.text)) == (400, True)
    assert "<script>" not in answer.text
    assert BytesIO(answer.data).read()


@pytest.mark.parametrize(("language", "told"), [("fr", ("entrée", "interdit")), ("en", ("sign-in", "forbidden"))])
def test_the_log_is_read_in_the_readers_words(here: Office, language: str, told: tuple[str, str]) -> None:
    dpo = here.staff(Role.DPO)
    path, data = forms(here)[Action.CLOSE]
    here.staff(Role.READER).post(path, **data)
    page = dpo.get(f"/journal?langue={language}").text

    assert [word for word in told if f"<td>{word}</td>" not in page] == []


def test_every_deed_and_its_end_has_words_in_the_log() -> None:
    template = (ROOM / "templates/journal.html").read_text("utf-8")
    known = set(re.findall(r'"([^"]+)": _\(', template))
    sources = "".join(path.read_text("utf-8") for path in ROOM.glob("*.py"))
    deeds = {action.value for action in Action} | set(re.findall(r'\bwrite\("([^"]+)"', sources)) | {DID, "purge"}
    ends = set(re.findall(r'\bhow="([^"]+)"', sources)) | set(re.findall(r'write\(action, .*"([^"]+)"\)', sources))

    assert deeds | ends <= known
