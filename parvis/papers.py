"""Papers: tables as an A4 document (PDF, by fpdf2), and cells that a spreadsheet takes for what they are."""

from collections.abc import Iterable, Sequence

Table = tuple[str, Sequence[str], Sequence[Sequence[str]]]
"""(title, may be empty; header; rows)."""
_REPLACED = str.maketrans({"€": "EUR", "\u2019": "'", "\u2265": ">=", "\u2264": "<=", "\u2013": "-"})


def pdf(title: str, tables: Iterable[Table], notes: Iterable[str] = (), *, wide: bool = False) -> bytes:
    """One or more A4 pages, upright or *wide*, tagged with language and title; a table without rows is left out."""
    from fpdf import FPDF  # noqa: PLC0415 for papers only

    page = FPDF(format="A4", orientation="landscape" if wide else "portrait")
    page.set_lang("fr")
    page.set_title(title)
    page.add_page()
    page.set_font("Helvetica", style="B", size=15)
    page.multi_cell(0, text=_latin(title), new_x="LMARGIN", new_y="NEXT")
    page.ln(4)
    for name, header, rows in tables:
        if name:
            page.set_font("Helvetica", style="B", size=11)
            page.cell(text=_latin(name), new_x="LMARGIN", new_y="NEXT")
            page.ln(1)
        page.set_font("Helvetica", size=8 if len(header) > 6 else 10)  # noqa: PLR2004 columns that fit
        if rows:
            with page.table() as table:
                for row in (header, *rows):
                    table.row([_latin(cell) for cell in row])
        page.ln(4)
    page.set_font("Helvetica", size=10)
    for text in notes:
        page.multi_cell(0, text=_latin(text), new_x="LMARGIN", new_y="NEXT")
    return bytes(page.output())


def harmless(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in "=+-@\t\r" and text else text


def _latin(text: str) -> str:
    """The built-in fonts hold Latin-1, and the euro under another name."""
    return text.translate(_REPLACED).encode("latin-1", "replace").decode("latin-1")
