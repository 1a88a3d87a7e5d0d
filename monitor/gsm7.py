"""Texts that fit one SMS: 160 septets of the GSM 7-bit default alphabet (3GPP TS 23.038). No I/O, no clock."""

import unicodedata

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("\f^{}\\[~]|€")
"""Two septets each."""
LONGEST = 160
INSTEAD = {
    "œ": "oe", "Œ": "OE", "’": "'", "‘": "'", "“": '"', "”": '"', "«": '"', "»": '"', "–": "-", "—": "-", "…": "...",
    "°": "o", "·": "-", "\t": " ", "×": "x", "−": "-", "ł": "l", "đ": "d", "`": "'", "\n": " ", "\r": " ",
}  # fmt: skip
UNKNOWN = "?"


def septets(text: str) -> int:
    """How many septets *text* takes; every letter of it must be in the alphabet.

    >>> septets("été"), septets("5 €")
    (3, 4)
    """
    return sum(2 if letter in EXTENDED else 1 for letter in text)


def plain(text: str) -> str:
    """*text* in letters of the alphabet, on one line; accents it lacks are left out, œ becomes oe.

    >>> plain("Bibliothèque Lê « Cœur de forêt »")
    'Bibliothèque Le "Coeur de foret"'
    >>> plain("façade, Ça, 北")
    'facade, Ça, ?'
    """
    spaced = text.replace("« ", "«").replace(" »", "»").replace("«\u00a0", "«").replace("\u00a0»", "»")
    spaced = spaced.replace("«\u202f", "«").replace("\u202f»", "»")
    return " ".join("".join(_letter(letter) for letter in unicodedata.normalize("NFC", spaced)).split())


def fitted(head: str, tail: str, longest: int = LONGEST) -> str:
    """*head* then *tail* in one SMS: both made plain, the head cut where it is too long, never the tail.

    >>> fitted("Lien fibre coupé : Bibliothèque de la Plaine", " (02:14)", 30)
    'Lien fibre coupé : B.. (02:14)'
    """
    head, end = plain(head), (" " if tail.startswith(" ") else "") + plain(tail)
    if septets(head + end) <= longest:
        return head + end
    room = longest - septets(end) - 2
    while head and septets(head) > room:
        head = head[:-1]
    return f"{head.rstrip()}..{end}"


def _letter(letter: str) -> str:
    if letter in INSTEAD:
        return INSTEAD[letter]
    if letter in BASIC or letter in EXTENDED:
        return letter
    if unicodedata.category(letter).startswith("Z"):
        return " "
    bare = "".join(part for part in unicodedata.normalize("NFKD", letter) if not unicodedata.combining(part))
    kept = "".join(part for part in bare if part in BASIC or part in EXTENDED)
    return kept or ("" if unicodedata.category(letter).startswith(("C", "M")) else UNKNOWN)
