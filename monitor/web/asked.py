"""What every view needs: the language a request asks for, and an answer in a sentence."""

from flask import Response, request

from monitor.web.words import Language, say


def language() -> Language:
    """French, unless English is asked for."""
    return "en" if request.values.get("lang") == "en" else "fr"


def saying(lang: Language, key: str, **values: object) -> str:
    """As ``say``, the language first: for templates."""
    return say(key, lang, **values)


def sentence(text: str, status: int = 200) -> Response:
    """A plain answer."""
    return Response(text + "\n", status, content_type="text/plain; charset=utf-8")
