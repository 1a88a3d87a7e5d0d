"""Signing in and out: local accounts with a password and a code that changes; failures are slowed down and written."""

import hmac
import secrets
from math import ceil

from flask import current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from captive_portal.console.deeds import write
from captive_portal.console.hall import COOKIE, hall, say, visit
from captive_portal.console.roles import Role
from captive_portal.console.visits import ABSOLUTE_SECONDS

FORM_COOKIE = "__Host-parvis-entrer"
"""Goes with the sign-in form, which has no visit yet: both must say the same (double submit)."""
FORM_SECONDS = 1800

Answer = Response | str | tuple[str, int]


def form(wrong: str = "", status: int = 200) -> Answer:
    """The sign-in page."""
    name = secrets.token_urlsafe(32)
    page = render_template("signin.html", wrong=wrong, token=name, oidc="oidc_start" in current_app.view_functions)
    response = Response(page, status, content_type="text/html; charset=utf-8")
    _set(response, FORM_COOKIE, name, FORM_SECONDS)
    return response


def sign_in() -> Answer:
    """Check name, password and code; every failure says the same."""
    counter, now = hall().instruments.counter("console_sign_ins_total"), hall().monotonic()
    sent, kept = request.form.get("token", ""), request.cookies.get(FORM_COOKIE, "")
    if not kept or not hmac.compare_digest(sent.encode(), kept.encode()):
        counter.labels("refused").inc()
        return form(say("La page avait expiré ; entrez de nouveau vos identifiants."), 400)
    name, address = request.form.get("name", "").strip()[:40], request.remote_addr or ""
    waiting = max(hall().by_account.closed_for(name, now), hall().by_address.closed_for(address, now))
    if waiting:
        counter.labels("throttled").inc()
        return form(say("Trop d'essais ; réessayez dans %(minutes)s min.", minutes=ceil(waiting / 60)), 429)
    password, code = request.form.get("password", ""), request.form.get("code", "")
    account = hall().accounts.sign_in(name, password, code, hall().wall())
    if account is None:
        hall().by_account.failed(name, now)
        hall().by_address.failed(address, now)
        counter.labels("refused").inc()
        known = name in hall().accounts.all()
        write("sign-in", who=name if known else "unknown", how="refused")
        return form(say("Nom, mot de passe ou code incorrect. Un code ne sert qu'une fois."), 403)
    hall().by_account.forgive(name)
    counter.labels("done").inc()
    return admitted(account.name, account.role, redirect(url_for("overview"), 303), account.password)


def admitted(who: str, role: Role, response: Response, proof: str = "") -> Response:
    """Open a visit for *who*, whose cookie goes with *response*. NotWritten: then nobody comes in."""
    write("sign-in", who=who)
    hall().visits.close(request.cookies.get(COOKIE, ""))
    _set(response, COOKIE, hall().visits.open(who, role, hall().monotonic(), proof), int(ABSOLUTE_SECONDS))
    return response


def sign_out() -> Answer:
    """End the visit."""
    if visit() is not None:
        write("sign-out")
        hall().visits.close(request.cookies.get(COOKIE, ""))
    response = redirect(url_for("form"), 303)
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="Strict")
    return response


def _set(response: Response, name: str, value: str, seconds: int) -> None:
    response.set_cookie(name, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="Strict")
