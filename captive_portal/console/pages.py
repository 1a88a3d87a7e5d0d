"""The staff's pages: plain forms and links; a post is answered by 303, so that reloading does nothing twice."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from flask import redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from captive_portal.console.audit import Broken
from captive_portal.console.deeds import Wrong, do, minutes, text
from captive_portal.console.hall import hall, language, say
from captive_portal.console.roles import Action
from captive_portal.console.sites import Facts, SiteSays, SiteSilent, answers, silent
from captive_portal.console.verdict import judge, rows
from captive_portal.directives import Kind
from captive_portal.pseudonym import heard

Answer = Response | str | tuple[str, int]
ON_A_PAGE = 100
DAYS = 30
AUDIT_LINES = 200
KINDS = {
    Kind.CLOSED: Action.CLOSE,
    Kind.BANNER: Action.BANNER,
    Kind.OPEN_DOOR: Action.OPEN_DOOR,
    Kind.BLOCK: Action.BLOCK,
}
"""What a role must be allowed for an order of each kind."""


def overview() -> Answer:
    """Every site at a glance."""
    found = hall().sites.everywhere("/v1/site")
    hall().instruments.gauge("console_sites_silent").set(len(silent(found)))
    return render_template("overview.html", found=dict(answers(found)), sites=hall().sites.known)


def site(name: str, wrong: str = "") -> Answer:
    """One site: how it is, staff's orders, its sessions page by page."""
    title = _known(name).title[language()]
    after = request.args.get("after", "0")
    try:
        state = hall().sites.ask(name, "/v1/site")
        page = hall().sites.sessions(name, int(after) if after.isdecimal() else 0, ON_A_PAGE) if _door(state) else {}
    except (SiteSilent, SiteSays):
        state, page = {}, {}
    status = 400 if wrong else 200
    return render_template("site.html", name=name, title=title, state=state, page=page, wrong=wrong), status


def _door(state: Facts) -> bool:
    return state["sessions"] is not None


def _known(name: str) -> Any:
    if name not in hall().sites.known:
        raise NotFound
    return hall().sites.known[name]


def device(code: str = "", wrong: str = "") -> Answer:
    """Why is this device not online? By the code its resident reads out, at whichever site knows it."""
    asked = code or request.args.get("code", "")
    clean = heard(asked)
    if asked and clean is None:
        wrong = say("Un code a six lettres et chiffres, comme K7F-2QD.")
    found = hall().sites.everywhere(f"/v1/devices/{quote(clean)}") if clean else {}
    known = [(hall().sites.known[name], said, judge(said), rows(said)) for name, said in answers(found)]
    unsure = [said for said in found.values() if isinstance(said, SiteSays) and said.code != 404]  # noqa: PLR2004
    quiet = [hall().sites.known[name].title[language()] for name in silent(found)]
    page = render_template(
        "device.html", asked=asked, code=clean, known=known, silent=quiet, unsure=unsure, wrong=wrong
    )
    return page, 400 if wrong else 200


def figures() -> Answer:
    """Acceptances by day, language and version of the terms, of all sites together and each."""
    found = hall().sites.everywhere(f"/v1/figures?days={DAYS}")
    lines = [
        (line["day"], hall().sites.known[name].title[language()], line["language"], line["terms"], line["acceptances"])
        for name, said in answers(found)
        for line in said["figures"]
    ]
    total = sum(line[-1] for line in lines)
    quiet = [hall().sites.known[name].title[language()] for name in silent(found)]
    return render_template("figures.html", lines=sorted(lines, reverse=True), total=total, days=DAYS, silent=quiet)


def journal() -> Answer:
    """The audit log, newest first, and whether its chain holds."""
    try:
        count, digest = hall().audit.verify()
        return render_template("journal.html", entries=hall().audit.newest(AUDIT_LINES), count=count, digest=digest)
    except Broken as error:
        return render_template("journal.html", entries=[], broken=str(error))


def disconnect(code: str, name: str) -> Answer:
    """End a device's session."""
    return _device_deed(Action.DISCONNECT, code, name, "disconnect", lambda _who, _why: {})


def block(code: str, name: str) -> Answer:
    """Refuse a device for a while."""

    def body(who: str, why: str) -> Facts:
        return {"by": who, "reason": why, "seconds": minutes(Kind.BLOCK)}

    return _device_deed(Action.BLOCK, code, name, "block", body)


def _device_deed(action: Action, code: str, name: str, verb: str, body: Callable[[str, str], Facts]) -> Answer:
    _known(name)
    clean = heard(code)
    if clean is None:
        raise NotFound
    try:
        do(action, name, clean, f"/v1/devices/{clean}/{verb}", body)
    except Wrong as wrong:
        return device(clean, str(wrong))
    return redirect(url_for("device", code=clean, fait=action.value), 303)


def order(name: str) -> Answer:
    """Close the site, open its door, or put a banner up, for a while."""
    kind = _kind(name)

    def body(who: str, why: str) -> Facts:
        words = {"fr": "", "en": ""}
        if kind is Kind.BANNER:
            words = {"fr": text("fr", say("le texte en français")), "en": text("en", say("le texte en anglais"))}
        return {"kind": kind.value, "by": who, "reason": why, "seconds": minutes(kind), **words}

    about = f"{request.form.get('minutes', '')[:6]} min"
    return _site_deed(KINDS[kind], name, about, "/v1/orders", body)


def end_order(name: str, number: int) -> Answer:
    """End an order before its time."""
    kind = _kind(name)
    path = f"/v1/orders/{number}/end"
    return _site_deed(
        KINDS[kind], name, f"end of order {number}", path, lambda who, _why: {"by": who, "kind": kind.value}
    )


def disconnect_all(name: str) -> Answer:
    """End every session of a site."""
    _known(name)
    return _site_deed(Action.DISCONNECT_ALL, name, "", "/v1/disconnect-all", lambda _who, _why: {})


def _kind(name: str) -> Kind:
    """The kind of order in the form, at a site there is."""
    _known(name)
    if request.form.get("kind", "") not in set(Kind):
        raise NotFound
    return Kind(request.form["kind"])


def _site_deed(action: Action, name: str, about: str, path: str, body: Callable[[str, str], Facts]) -> Answer:
    try:
        do(action, name, about, path, body)
    except Wrong as wrong:
        return site(name, str(wrong))
    return redirect(url_for("site", name=name, fait=action.value), 303)


PAGES: dict[tuple[str, str], tuple[Action, Callable[..., Answer]]] = {
    ("GET", "/"): (Action.OVERVIEW, overview),
    ("GET", "/lieux/<name>"): (Action.SESSIONS, site),
    ("POST", "/lieux/<name>/ordres"): (Action.SESSIONS, order),
    ("POST", "/lieux/<name>/ordres/<int:number>/fin"): (Action.SESSIONS, end_order),
    ("POST", "/lieux/<name>/deconnecter-tous"): (Action.SESSIONS, disconnect_all),
    ("GET", "/appareil"): (Action.DEVICE, device),
    ("POST", "/lieux/<name>/appareils/<code>/deconnecter"): (Action.DEVICE, disconnect),
    ("POST", "/lieux/<name>/appareils/<code>/bloquer"): (Action.DEVICE, block),
    ("GET", "/chiffres"): (Action.FIGURES, figures),
    ("GET", "/journal"): (Action.AUDIT, journal),
}
"""Method and path -> what a role must be allowed to come here, and the page; a post's own action is checked besides."""
