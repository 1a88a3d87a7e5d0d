"""Every service apprise knows. It says yes or no, never whether the message arrived."""

from typing import Any
from urllib.parse import quote

from monitor.channels import Told, told

SHORT_BODY = 480
"""A service that takes no longer a body is an SMS: it gets the short text."""


def send(task: dict[str, Any]) -> Told:
    """Hand the message to the service named by the channel's URL."""
    import apprise  # noqa: PLC0415 large, and for this channel only

    service = apprise.Apprise.instantiate(_address(task))
    if service is None:
        return told("failed", detail="apprise does not know this URL")
    if service.body_maxlen <= SHORT_BODY:
        done = service.notify(body=task["short"])
    else:
        done = service.notify(title=task["subject"], body=task["long"])
    return told("accepted") if done else told("failed", detail="the service refused")


def _address(task: dict[str, Any]) -> str:
    """The URL with its facts; a part of its query that names a link is left out where the message has none."""
    to, link = task["to"], task.get("link", "")
    facts = {"secret": task["secret"], "phone": to["phone"], "email": to["email"], "person": to["person"], "link": link}
    url, mark, query = str(task["channel"]["url"]).partition("?")
    url += mark + "&".join(part for part in query.split("&") if link or "{link}" not in part)
    for name, fact in facts.items():
        url = url.replace(f"{{{name}}}", quote(fact or "", safe=""))
    return url
