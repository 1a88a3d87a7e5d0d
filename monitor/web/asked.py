"""What a request asks for beside its path: the language."""

from flask import request

from monitor.web.words import Language, say


def language() -> Language:
    """French, unless English is asked for."""
    return "en" if request.values.get("lang") == "en" else "fr"


def saying(lang: Language, key: str, **values: object) -> str:
    """As ``say``, the language first: for templates."""
    return say(key, lang, **values)
