"""French is in the templates; English must say all of it."""

import re
from gettext import GNUTranslations
from importlib.resources import files
from io import BytesIO

from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from captive_portal.web.facts import versions

WEB = files("captive_portal") / "web"
ENGLISH = WEB / "translations/en/LC_MESSAGES"


def said() -> set[str]:
    found = extract_from_dir(str(WEB / "templates"), [("**.html", "jinja2")])
    return {message for _, _, message, *_ in found if isinstance(message, str)}


def test_every_text_has_an_english_one_with_the_same_facts() -> None:
    english = read_po(BytesIO((ENGLISH / "messages.po").read_bytes()), locale="en")

    translated = {str(message.id): str(message.string) for message in english if message.id and message.string}
    assert said() == set(translated)
    for french, text in translated.items():
        assert sorted(re.findall(r"%\(\w+\)s", french)) == sorted(re.findall(r"%\(\w+\)s", text)), french


def test_the_compiled_texts_are_those_of_the_source() -> None:
    compiled = BytesIO()
    write_mo(compiled, read_po(BytesIO((ENGLISH / "messages.po").read_bytes()), locale="en"))

    assert GNUTranslations(BytesIO((ENGLISH / "messages.mo").read_bytes()))._catalog == (
        GNUTranslations(BytesIO(compiled.getvalue()))._catalog
    )


def test_each_version_of_the_terms_is_there_in_both_languages_with_the_same_clauses() -> None:
    for version in versions():
        texts = [
            (files("captive_portal") / "terms" / f"{version}.{language}.html").read_text() for language in ("fr", "en")
        ]
        clauses = [re.findall(r'id="(cgu-\d+)"', text) for text in texts]
        assert clauses[0] == clauses[1] != []
