"""The Flask application, made from a Hall."""

from flask import Blueprint, Flask
from flask_babel import Babel

from captive_portal.web.api import api
from captive_portal.web.declarations import declared
from captive_portal.web.pages import PAGES, language_of_the_path, other_languages, there
from captive_portal.web.papers import PAPERS
from captive_portal.web.shield import protect
from captive_portal.web.style import DEFAULT_LOOK, LOGO, style
from captive_portal.web.visitor import Hall, banner, gettext, language
from captive_portal.web.wording import duration, plain, said
from parvis.languages import OWN_NAMES, RIGHT_TO_LEFT


def create_app(hall: Hall) -> Flask:
    """The application; every page exists without and with its language in the path: /status, /fr/status."""
    app = Flask(__name__.rpartition(".")[0], static_folder=None)
    app.extensions["hall"] = hall
    app.url_map.strict_slashes = False
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    Babel(app, default_locale="fr", locale_selector=language)
    app.jinja_env.install_gettext_callables(gettext, lambda one, _many, _n: gettext(one), newstyle=True)  # type: ignore[attr-defined]
    css = style(hall.facts.look) if hall.facts.look else style(DEFAULT_LOOK)
    protect(app, css)
    pages = _blueprint()
    app.register_blueprint(pages)
    app.register_blueprint(pages, name="spoken", url_prefix=f"/<any({', '.join(hall.facts.languages)}):language>")
    app.register_blueprint(api)
    app.context_processor(lambda: _words(hall, css))
    return app


def _blueprint() -> Blueprint:
    pages = Blueprint("pages", __name__)
    pages.url_value_preprocessor(language_of_the_path)
    for (method, rule), page in PAGES.items():
        pages.add_url_rule(rule, view_func=page, methods=[method])
    for rule, paper in PAPERS.items():
        pages.add_url_rule(rule, view_func=paper)
    return pages


def _words(hall: Hall, css: str) -> dict[str, object]:
    """What every template may say."""
    now = language()
    return {
        "css": css,
        "language": now,
        "languages": hall.facts.languages,
        "own_names": OWN_NAMES,
        "rtl": now in RIGHT_TO_LEFT,
        "facts": hall.facts,
        "town": plain(hall.facts.town, now),
        "site": plain(hall.facts.title, now),
        "logo": hall.facts.logo or LOGO,
        "said": lambda words: said(words, now),
        "terms": hall.terms[now],
        "length": duration(hall.facts.session, now),
        "dpo": hall.facts.dpo,
        "cut": not hall.uplink(),
        "banner": banner(),
        "conformity": declared(),
        "there": there,
        "other_languages": other_languages,
    }
