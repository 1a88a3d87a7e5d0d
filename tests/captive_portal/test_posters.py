"""The poster of each site: an A4 page with the law's words, the pictogram and a code that leads to the notice."""

import re
import zlib
from pathlib import Path

import pytest
import segno
from click.testing import CliRunner

from captive_portal.page_facts import page_facts
from captive_portal.posters import CODE, notice_of, poster, posters
from parvis.inventory import DEMO_TOWN, Town, load

MM = 72 / 25.4


@pytest.fixture(scope="module")
def town() -> Town:
    return load(DEMO_TOWN)


def drawn(data: bytes) -> str:
    """What the page's content streams draw."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", data, re.DOTALL)
    return b"\n".join(zlib.decompress(stream) for stream in streams if stream[:1] == b"x").decode("latin-1")


def test_cgu04_each_site_has_its_poster_with_the_words_of_the_law(town: Town, tmp_path: Path) -> None:
    told = CliRunner().invoke(posters, [str(tmp_path / "out")])
    assert told.exit_code == 0, told.output

    for site in town.sites:
        data = (tmp_path / f"out/{site.site}.pdf").read_bytes()
        text = drawn(data)
        assert b"/MediaBox [0 0 595.28 841.89]" in data, "A4"
        assert b"/Lang (fr)" in data
        assert data.count(b"/Type /Page\n") == 1
        for words in (
            "Cachan-WiFi",
            "L. 34-1",
            "1 an",
            "n'est pas chiffr",
            "dpo@cachan.example",
            "www.cnil.fr",
            "1 year",
        ):
            assert words in text, words
        assert f"https://{town.policy(site).host}/donnees" in text
        assert site.title.fr.split()[0] in text


def test_cgu04_the_code_is_the_address_of_the_notice_square_by_square(town: Town) -> None:
    facts = page_facts(town, town.sites[0])
    squares = re.findall(r"([\d.]+) ([\d.]+) ([\d.]+) -?([\d.]+) re f", drawn(poster(facts)))
    rows = list(segno.make(notice_of(facts), micro=False, error="m").matrix_iter(border=4))
    side = CODE / len(rows) * MM
    left = min(float(x) for x, *_ in squares if float(x) > 150)
    small = {
        (round((float(x) - left) / side), round(float(y) / side))
        for x, y, width, _ in squares
        if float(width) == pytest.approx(side, abs=0.02)
    }
    dark = {(column, -line) for line, row in enumerate(rows) for column, value in enumerate(row) if value}

    def shifted(cells: set[tuple[int, int]]) -> set[tuple[int, int]]:
        return {(x - min(x for x, _ in cells), y - min(y for _, y in cells)) for x, y in cells}

    assert shifted(small) == shifted(dark)


def test_a_site_that_is_not_there_is_said_in_words(tmp_path: Path) -> None:
    told = CliRunner().invoke(posters, [str(tmp_path), "--site", "nowhere"])

    assert told.exit_code == 1
    assert "no site is called 'nowhere'" in told.output
