"""Signing in with the town's own service: an honest OpenID provider over TLS, and one that lies in every way."""

import base64
import hashlib
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask, jsonify, request
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from staff import Office, issued, office
from werkzeug.test import TestResponse

from captive_portal.console.hall import COOKIE
from captive_portal.console.oidc import Provider, add_oidc
from captive_portal.tls import TlsServer
from parvis.inventory import Town

pytestmark = pytest.mark.slow  # real servers, and time that has to pass

BASE = "https://console.example"
KEY, OTHER = (RSAKey.generate_key(2048, {"kid": kid}) for kid in ("one", "one"))


class IdService:
    """An OpenID provider; *lies* replaces claims, *key* signs, *asked* is what it was told at the authorization."""

    def __init__(self) -> None:
        self.issuer, self.key, self.lies = "", KEY, dict[str, Any]()
        self.asked: dict[str, str] = {}
        self.spent: set[str] = set()
        self.app = Flask(__name__)
        self.app.add_url_rule("/.well-known/openid-configuration", "about", self.about)
        self.app.add_url_rule("/jwks", "jwks", lambda: jsonify(KeySet([KEY]).as_dict(private=False)))
        self.app.add_url_rule("/token", "token", self.token, methods=["POST"])

    def about(self) -> Any:
        places = {name: f"{self.issuer}/{path}" for name, path in (("token_endpoint", "token"), ("jwks_uri", "jwks"))}
        return jsonify(issuer=self.issuer, authorization_endpoint=f"{self.issuer}/authorize", **places)

    def authorizes(self, where: str) -> str:
        """What the service does when staff sign in there: back to the console with a code."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(where).query).items()}
        assert query["code_challenge_method"] == "S256"
        self.asked = query
        return f"/oidc/retour?code=the-code&state={query['state']}"

    def token(self) -> Any:
        form = request.form
        hashed = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()
        good = challenge == self.asked["code_challenge"] and form["code"] not in self.spent
        basic = request.authorization
        if not good or basic is None or (basic.username, basic.password) != ("console", "s3cret"):
            return jsonify(error="invalid_grant"), 400
        self.spent.add(form["code"])
        claims = {
            "iss": self.issuer,
            "aud": "console",
            "sub": "u1",
            "exp": int(time.time()) + 60,
            "iat": int(time.time()),
            "nonce": self.asked["nonce"],
            "preferred_username": "agent",
            "groups": ["wifi-technique", "mairie"],
            **self.lies,
        }
        kept = {name: value for name, value in claims.items() if value is not None}
        token = jwt.encode({"alg": "RS256", "kid": "one"}, kept, self.key)
        return jsonify(access_token="x", token_type="Bearer", id_token=token)


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[IdService]:
    made = IdService()
    ca, certificate, key = issued(tmp_path, "id")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(ca))
    with ExitStack() as stack:
        server = stack.enter_context(TlsServer(("127.0.0.1", 0), made.app, certificate, key))
        made.issuer = f"https://127.0.0.1:{server.port}"
        yield made


@pytest.fixture
def here(town: Town, tmp_path: Path, service: IdService) -> Iterator[Office]:
    with office(town, tmp_path) as made:
        roles = {"wifi-admin": "administrator", "wifi-technique": "technician"}
        add_oidc(made.app, Provider(service.issuer, "console", "s3cret", f"{BASE}/oidc/retour", "groups", roles))
        yield made


def goes_there(client: FlaskClient, service: IdService) -> str:
    answer = client.get("/oidc/entrer", base_url=BASE)
    assert answer.status_code == 303
    return service.authorizes(answer.headers["Location"])


def signs_in(here: Office, service: IdService) -> tuple[FlaskClient, TestResponse]:
    client = here.app.test_client()
    return client, client.get(goes_there(client, service), base_url=BASE)


def test_staff_known_to_the_towns_service_come_in_with_their_role(here: Office, service: IdService) -> None:
    client, answer = signs_in(here, service)
    page = client.get("/", base_url=BASE, follow_redirects=True).text

    assert answer.status_code == 200
    assert "oidc:agent (technique)" in page
    assert (here.entries()[0]["who"], here.entries()[0]["did"]) == ("oidc:agent", "sign-in")
    assert "/oidc/entrer" in here.app.test_client().get("/entrer", base_url=BASE).text


def test_the_first_role_of_the_settings_counts(here: Office, service: IdService) -> None:
    service.lies = {"groups": ["wifi-technique", "wifi-admin"]}
    client, _ = signs_in(here, service)

    assert "(administration)" in client.get("/", base_url=BASE, follow_redirects=True).text


@pytest.mark.parametrize(
    "lies",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another"},
        {"aud": None},
        {"iss": "https://another.example"},
        {"exp": 1},
        {"exp": None},
        {"sub": None},
        {"groups": []},
        {"groups": None},
        {"groups": {"wifi-admin": True}},
    ],
    ids=str,
)
def test_an_answer_that_is_not_for_us_now_or_gives_no_role_lets_nobody_in(
    here: Office, service: IdService, lies: dict[str, Any]
) -> None:
    service.lies = lies
    client, answer = signs_in(here, service)

    assert answer.status_code == 403
    assert client.get_cookie(COOKIE, domain="console.example") is None
    assert here.value("console_sign_ins_total", result="refused") == 1


def test_a_token_signed_by_another_key_lets_nobody_in(here: Office, service: IdService) -> None:
    service.key = OTHER

    assert signs_in(here, service)[1].status_code == 403


def test_the_way_back_belongs_to_the_browser_that_went_and_counts_once(here: Office, service: IdService) -> None:
    client, thief = here.app.test_client(), here.app.test_client()
    back = goes_there(client, service)
    stolen = thief.get(back, base_url=BASE).status_code
    spent = client.get(back, base_url=BASE).status_code
    invented = client.get("/oidc/retour?code=x&state=y", base_url=BASE).status_code

    assert (stolen, spent, invented) == (400, 400, 400)


def test_a_service_that_is_away_is_said_so_and_local_accounts_still_work(here: Office) -> None:
    here.app.extensions["oidc"].issuer = "https://127.0.0.1:1"
    answer = here.app.test_client().get("/oidc/entrer", base_url=BASE)

    assert answer.status_code == 503
    assert re.search(r"service d.*authentification", answer.text)
    assert here.staff().get("/").status_code == 200


def test_a_description_that_speaks_for_another_issuer_is_refused(here: Office, service: IdService) -> None:
    here.app.extensions["oidc"].issuer = service.issuer + "/"

    assert here.app.test_client().get("/oidc/entrer", base_url=BASE).status_code == 503
