"""SMS by OVH's API: each request signed (``$1$`` SHA-1 of secret, consumer, method, URL, body and OVH's own time)."""

import json
from hashlib import sha1
from typing import Any

from monitor.channels import Reply, Told, told

TIMEOUT_SECONDS = 20
VALID_MINUTES = 60
"""A call that the network could not deliver for so long is of no use any more."""


def send(task: dict[str, Any]) -> Told:
    """Order the message; the job's number is the reference."""
    channel = task["channel"]
    order: dict[str, Any] = {
        "message": task["short"],
        "receivers": [task["to"]["phone"].replace(" ", "")],
        "charset": "UTF-8",
        "coding": "7bit",
        "priority": "high",
        "noStopClause": True,
        "validityPeriod": VALID_MINUTES,
    }
    order |= {"sender": channel["sender"]} if channel["sender"] else {"senderForResponse": True}
    done = _ask(task, "POST", "/jobs", order)
    if done.get("invalidReceivers") or not done.get("ids"):
        return told("failed", detail="OVH refuses the number")
    return told("accepted", proves=True, reference=str(done["ids"][0]))


def prove(task: dict[str, Any]) -> Told:
    """Whether the phone has it: ``deliveredAt``, or a receipt of 1, of the message sent."""
    found = _ask(task, "GET", f"/outgoing/{task['reference']}")
    if found.get("deliveredAt") or found.get("deliveryReceipt") == 1:
        return told("proved", proves=True, reference=task["reference"])
    return told("accepted", proves=True, reference=task["reference"])


def credit(task: dict[str, Any]) -> dict[str, float]:
    """How many messages the account still pays for."""
    return {"credit": float(_ask(task, "GET", "")["creditsLeft"])}


def replies(task: dict[str, Any]) -> list[Reply]:
    """What was answered to the short number; what is read is deleted there."""
    found: list[Reply] = []
    for number in _ask(task, "GET", "/incoming"):
        one = _ask(task, "GET", f"/incoming/{number}")
        found.append({"number": str(one["sender"]), "text": str(one["message"]), "mark": str(number)})
        _ask(task, "DELETE", f"/incoming/{number}")
    return found


def signature(secret: str, consumer: str, method: str, url: str, body: str, at: int) -> str:
    """OVH's signature of one request.

    >>> signature("s", "c", "GET", "https://eu.api.ovh.com/1.0/me", "", 1)
    '$1$710c8a43f1cbc4930b2d50e4aedd2c2ad16de2ed'
    """
    words = "+".join((secret, consumer, method, url, body, str(at)))
    return "$1$" + sha1(words.encode()).hexdigest()  # noqa: S324 OVH's own scheme, not ours to choose


def _ask(task: dict[str, Any], method: str, path: str, order: dict[str, Any] | None = None) -> Any:
    """One signed request; requests' errors say what OVH answered."""
    import requests  # noqa: PLC0415 for this channel only

    application, secret, consumer = task["secret"].split()
    api = task["channel"]["api"]
    url = f"{api}/sms/{task['channel']['service']}{path}"
    body = json.dumps(order) if order is not None else ""
    at = int(requests.get(f"{api}/auth/time", timeout=TIMEOUT_SECONDS).text)
    headers = {
        "X-Ovh-Application": application,
        "X-Ovh-Consumer": consumer,
        "X-Ovh-Timestamp": str(at),
        "X-Ovh-Signature": signature(secret, consumer, method, url, body, at),
        "Content-Type": "application/json",
    }
    answer = requests.request(method, url, data=body.encode(), headers=headers, timeout=TIMEOUT_SECONDS)
    answer.raise_for_status()
    return answer.json() if answer.content else None
