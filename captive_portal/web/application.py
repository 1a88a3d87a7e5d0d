"""The Flask application, made from a Hall."""

from flask import Blueprint, Flask
from flask_babel import Babel

from captive_portal.web.api import api
from captive_portal.web.pages import PAGES, language_of_the_path, other_languages, there
from captive_portal.web.papers import PAPERS
from captive_portal.web.shield import CSS, protect
from captive_portal.web.visitor import Hall, banner, language


def create_app(hall: Hall) -> Flask:
    """The application; every page exists without and with its language in the path: /status, /fr/status."""
    app = Flask(__name__.rpartition(".")[0], static_folder=None)
    app.extensions["hall"] = hall
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    Babel(app, default_locale="fr", locale_selector=language)
    protect(app)
    pages = _blueprint()
    app.register_blueprint(pages)
    app.register_blueprint(pages, name="spoken", url_prefix="/<any(fr, en):language>")
    app.register_blueprint(api)
    app.context_processor(lambda: _words(hall))
    return app


def _blueprint() -> Blueprint:
    pages = Blueprint("pages", __name__)
    pages.url_value_preprocessor(language_of_the_path)
    for (method, rule), page in PAGES.items():
        pages.add_url_rule(rule, view_func=page, methods=[method])
    for rule, paper in PAPERS.items():
        pages.add_url_rule(rule, view_func=paper)
    return pages


def _words(hall: Hall) -> dict[str, object]:
    """What every template may say."""
    spoken = language()
    return {
        "css": CSS,
        "language": spoken,
        "facts": hall.facts,
        "town": hall.facts.town[spoken],
        "site": hall.facts.title[spoken],
        "terms": hall.terms[spoken],
        "uplink": hall.uplink,
        "banner": banner(),
        "there": there,
        "other_languages": other_languages,
    }
