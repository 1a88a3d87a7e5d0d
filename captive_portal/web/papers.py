"""What may be read at any time without accepting anything: terms, notice, accessibility."""

from collections.abc import Callable

from flask import render_template
from werkzeug.exceptions import NotFound

from captive_portal.web.facts import terms, versions
from captive_portal.web.pages import Answer
from captive_portal.web.visitor import hall, language


def current_terms() -> Answer:
    """The terms in force."""
    facts = hall().facts
    return render_template("terms.html", version=facts.terms_version, text=hall().terms[language()])


def archived_terms(version: str) -> Answer:
    """A version of the terms, past or present."""
    if version not in versions():
        raise NotFound
    return render_template("terms.html", version=version, text=terms(hall().facts, version, language()))


def notice() -> Answer:
    """Legal notice and personal data (GDPR art. 13)."""
    return render_template("notice.html")


def accessibility() -> Answer:
    """The declaration of accessibility (law 2005-102, art. 47)."""
    return render_template("accessibility.html")


PAPERS: dict[str, Callable[..., Answer]] = {
    "/cgu": current_terms,
    "/cgu/<version>": archived_terms,
    "/mentions": notice,
    "/accessibilite": accessibility,
}
"""Path -> page."""
