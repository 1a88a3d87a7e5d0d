"""French is in the pages; every other language must say all of it, with the same facts in it."""

import re
from gettext import GNUTranslations
from importlib.resources import files
from io import BytesIO

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from captive_portal.web.terms import CLAUSES, ours, versions
from parvis.data_inventory import data_inventory
from parvis.languages import LANGUAGES

WEB = files("captive_portal") / "web"
OTHERS = [language for language in LANGUAGES if language != "fr"]
SLOT = re.compile(r"%\(\w+\)s")
METHODS = [("templates/**.html", "jinja2"), ("**.py", "python")]


def said() -> set[str]:
    found = extract_from_dir(str(WEB), METHODS)
    return {message for _, _, message, *_ in found if isinstance(message, str)} | set(data_inventory().texts())


def catalogue(language: str) -> Catalog:
    return read_po(BytesIO((WEB / f"translations/{language}/LC_MESSAGES/messages.po").read_bytes()), locale=language)


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_is_said_in_every_language_with_the_same_facts(language: str) -> None:
    found = catalogue(language)
    texts = {str(message.id): str(message.string) for message in found if message.id}

    assert set(texts) == said()
    assert [french for french, text in texts.items() if not text.strip()] == []
    assert [str(message.id) for message in found if message.id and message.fuzzy] == []
    for french, text in texts.items():
        assert sorted(SLOT.findall(french)) == sorted(SLOT.findall(text)), french
        assert (french[-1] == " ") == (text[-1] == " "), french


@pytest.mark.parametrize("language", OTHERS)
def test_the_compiled_texts_are_those_of_the_source(language: str) -> None:
    compiled = BytesIO()
    write_mo(compiled, catalogue(language))

    shipped = (WEB / f"translations/{language}/LC_MESSAGES/messages.mo").read_bytes()
    said, made = (vars(GNUTranslations(BytesIO(mo)))["_catalog"] for mo in (shipped, compiled.getvalue()))
    assert said == made


def test_each_version_of_the_terms_is_there_in_french_and_english_with_the_same_clauses() -> None:
    texts = ours()
    for version in versions({}):
        french, english = (re.findall(r'id="(cgu-\d+)"', texts[f"{version}.{language}"]) for language in ("fr", "en"))
        assert french == english != []


def test_the_terms_in_force_say_all_sixteen_things() -> None:
    newest = versions({})[0]

    assert tuple(re.findall(r'<h3 id="(cgu-\d+)"', ours()[f"{newest}.fr"])) == CLAUSES


@pytest.mark.parametrize("language", LANGUAGES)
def test_cgu01_accepting_the_terms_is_never_called_a_consent_to_data_processing(language: str) -> None:
    """CGU-01: acceptance is not consent in the sense of the GDPR, in any language."""
    texts = said() if language == "fr" else {str(message.string) for message in catalogue(language)}
    forbidden = ("traitement de mes données", "processing of my data", "tratamiento de mis datos",
                 "tratamento dos meus dados", "معالجة بياناتي", "обробку моїх даних", "处理我的数据",
                 "consens", "consent", "consent", "موافقة على معالجة", "згода на обробку", "同意处理")  # fmt: skip

    assert [text for text in texts for words in forbidden if words in text.lower()] == []
