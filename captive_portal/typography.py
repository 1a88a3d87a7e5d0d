"""French no-break spaces, set in one place: texts are written with plain ones."""

import re
from functools import lru_cache

_ENDS = r"(?=[\s<).,»]|$)"
_HIGH = re.compile(rf"(?<=\S) (?=[;!?]{_ENDS})")
_WIDE = re.compile(rf"(?<=\S) (?=[:»%]{_ENDS})|(?<=«) ")
TEXTS = 1024
"""How many are kept as they are set: more than the pages have."""


@lru_cache(TEXTS)
def spaced(text: str) -> str:
    r"""*text* with French no-break spaces where it has plain ones (Imprimerie nationale, Lexique): narrow before ; ! ?.

    Only French puts a space there, so the same holds for every language, and for HTML.

    >>> spaced("« Aide » : où ? Ici ; à 12:30, 5 %."), spaced("<b>Contact :</b> %(mail)s"), spaced("Help: 12:30, %(a)s")
    ('«\xa0Aide\xa0»\xa0: où\u202f? Ici\u202f; à 12:30, 5\xa0%.', '<b>Contact\xa0:</b> %(mail)s', 'Help: 12:30, %(a)s')
    """
    return _WIDE.sub("\xa0", _HIGH.sub("\u202f", text))
