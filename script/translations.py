"""The work of script/translations: French from the pages into every catalogue, then the compiled form."""

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from parvis.data_inventory import data_inventory

WEB = Path("captive_portal/web")
METHODS = [("templates/**.html", "jinja2"), ("**.py", "python")]
WHEN = datetime(2026, 1, 1, tzinfo=UTC)
"""Always the same, so that only texts make a difference."""


def said() -> list[str]:
    """Every text of the pages in the order it is met, then those of the data inventory."""
    found = extract_from_dir(str(WEB), METHODS)
    pages = [message for _, _, message, *_ in found if isinstance(message, str)]
    return list(dict.fromkeys([*pages, *data_inventory().texts()]))


def updated(old: Catalog, texts: list[str]) -> Catalog:
    """*old* with exactly *texts*; a new one is empty."""
    when = {"creation_date": WHEN, "revision_date": WHEN}
    new = Catalog(locale=old.locale, header_comment=old.header_comment, fuzzy=False, **when)
    new.mime_headers = [
        (name, "" if "@" in value else value.replace("PROJECT", "parvis")) for name, value in new.mime_headers
    ]
    known = {str(message.id): str(message.string) for message in old if message.id}
    for text in texts:
        new.add(text, known.get(text, ""))
    return new


def main() -> None:
    """Every language there is."""
    texts = said()
    for path in sorted((WEB / "translations").glob("*/LC_MESSAGES/messages.po")):
        old = read_po(BytesIO(path.read_bytes()), locale=path.parts[-3])
        new = updated(old, texts)
        with path.open("wb") as source, path.with_suffix(".mo").open("wb") as compiled:
            write_po(source, new, width=120)
            write_mo(compiled, new)
        empty = sum(1 for message in new if message.id and not message.string)
        print(f"{path}: {len(texts)} texts, {empty} to write")


if __name__ == "__main__":
    main()
