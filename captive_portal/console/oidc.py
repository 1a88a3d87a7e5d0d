"""Signing in with the town's own service: OpenID Connect, code flow with PKCE (RFC 7636), by Authlib and joserfc."""

import secrets
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from flask import Flask, Response, current_app, redirect, render_template, request
from joserfc import jwt
from joserfc.jwk import KeySet
from werkzeug.wrappers import Response as Answer

from captive_portal.console import entrance
from captive_portal.console.deeds import write
from captive_portal.console.hall import hall, say
from captive_portal.console.roles import Role
from parvis.running import log

COOKIE = "__Host-parvis-oidc"
"""Binds the way there to the way back; Lax, because the way back comes from the service's page."""
PENDING_SECONDS = 600.0
MOST_PENDING = 64
ASK_SECONDS = 3.0
ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class _Pending:
    nonce: str
    verifier: str
    since: float


@dataclass(slots=True)
class Provider:
    """The service; *roles* says which value of *claim* means which role."""

    issuer: str
    client: str
    secret: str
    back: str
    claim: str
    roles: Mapping[str, str]
    pending: OrderedDict[str, _Pending] = field(default_factory=OrderedDict)

    def session(self) -> OAuth2Session:
        """A client that speaks to the service."""
        return OAuth2Session(
            self.client, self.secret, scope="openid profile", redirect_uri=self.back, default_timeout=ASK_SECONDS
        )

    def described(self, session: OAuth2Session) -> dict[str, Any]:
        """The service's own description (OpenID Connect Discovery); ValueError when it speaks for another issuer."""
        address = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
        found: dict[str, Any] = session.get(address, withhold_token=True, timeout=ASK_SECONDS).json()
        if found["issuer"] != self.issuer:
            raise ValueError("the description is another issuer's")
        return found

    def role(self, claims: Mapping[str, Any]) -> Role | None:
        """The role *claims* give; the first of the settings' order, None without any."""
        said = claims.get(self.claim, [])
        values = {said} if isinstance(said, str) else set(said) if isinstance(said, list) else set()
        return next((Role(role) for value, role in self.roles.items() if value in values), None)


def add_oidc(app: Flask, provider: Provider) -> None:
    """Add the way there and the way back."""
    app.extensions["oidc"] = provider
    app.add_url_rule("/oidc/entrer", "oidc_start", _start, methods=["GET"])
    app.add_url_rule("/oidc/retour", "oidc_back", _back, methods=["GET"])


def _provider() -> Provider:
    found: Provider = current_app.extensions["oidc"]
    return found


def _start() -> Answer | Any:
    """Lead to the service."""
    provider = _provider()
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    try:
        session = provider.session()
        where = provider.described(session)["authorization_endpoint"]
    except Exception as error:  # noqa: BLE001 whatever its library raises, the service cannot be asked
        return _failed("the sign-in service cannot be asked", error, 503)
    provider.pending[state] = _Pending(nonce, verifier, time.monotonic())
    while len(provider.pending) > MOST_PENDING:
        provider.pending.popitem(last=False)
    challenge = {"code_challenge": create_s256_code_challenge(verifier), "code_challenge_method": "S256"}
    there, _ = session.create_authorization_url(where, state=state, nonce=nonce, **challenge)
    response = redirect(there, 303)
    response.set_cookie(COOKIE, state, max_age=int(PENDING_SECONDS), secure=True, httponly=True, samesite="Lax")
    return response


def _back() -> Answer | Any:
    """Take the code the service gave, ask it who that is, and open a visit for a known role."""
    provider = _provider()
    state = request.args.get("state", "")
    pending = provider.pending.pop(state, None)
    good = pending is not None and time.monotonic() - pending.since < PENDING_SECONDS
    if not good or pending is None or not secrets.compare_digest(request.cookies.get(COOKIE, ""), state):
        return _failed("the way back does not belong to a way there", None, 400)
    try:
        claims = _claims(provider, pending)
    except Exception as error:  # noqa: BLE001 see above; a bad signature is no better than no answer
        return _failed("the sign-in service's answer is not good", error, 403)
    role = provider.role(claims)
    who = f"oidc:{claims.get('preferred_username') or claims['sub']}"[:LONGEST_NAME]
    if role is None:
        write("sign-in", who=who, how="no role")
        return _failed("no role", None, 403)
    hall().instruments.counter("console_sign_ins_total").labels("done").inc()
    page = Response(render_template("welcome.html"), content_type="text/html; charset=utf-8")
    page.delete_cookie(COOKIE, secure=True, httponly=True, samesite="Lax")
    return entrance.admitted(who, role, page)


def _claims(provider: Provider, pending: _Pending) -> dict[str, Any]:
    """What the ID token says, once its signature, issuer, audience, times and nonce are right (OIDC Core 3.1.3.7)."""
    session = provider.session()
    described = provider.described(session)
    token = session.fetch_token(
        described["token_endpoint"], code=request.args.get("code", ""), code_verifier=pending.verifier
    )
    keys = KeySet.import_key_set(session.get(described["jwks_uri"], withhold_token=True, timeout=ASK_SECONDS).json())
    read = jwt.decode(token["id_token"], keys, algorithms=ALGORITHMS)
    rules = jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": provider.issuer},
        aud={"essential": True, "value": provider.client},
        exp={"essential": True},
        nonce={"essential": True, "value": pending.nonce},
        sub={"essential": True},
    )
    rules.validate(read.claims)
    return dict(read.claims)


def _failed(words: str, error: Exception | None, status: int) -> Any:
    hall().instruments.counter("console_sign_ins_total").labels("refused").inc()
    log.warning(words, reason=type(error).__name__ if error else "")
    return entrance.form(say("Le service d'authentification n'a pas pu dire qui vous êtes, ou sans rôle ici."), status)
