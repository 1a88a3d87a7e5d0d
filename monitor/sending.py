"""Gives one message to one channel, or asks a channel about one, and ends: ``python -m monitor.sending``.

A process of its own, because the libraries are large and a channel may hang. Reads one JSON object from standard input
and writes one: ``result`` (accepted, proved, failed), ``proves``, ``reference``, ``detail``; for replies a list.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

from monitor.channels import apprise, gsm, mail, ovh, voice

TASKS: dict[str, dict[str, Callable[[dict[str, Any]], Any]]] = {
    "send": {"smtp": mail.send, "ovh": ovh.send, "gsm": gsm.send, "apprise": apprise.send, "sip": voice.send},
    "prove": {"ovh": ovh.prove, "gsm": gsm.prove},
    "credit": {"ovh": ovh.credit},
    "replies": {"ovh": ovh.replies, "gsm": gsm.replies},
}
MAX_DETAIL = 300


def answer(task: dict[str, Any]) -> Any:
    """Do what *task* says; a channel's failure is an answer, with its reason."""
    try:
        return TASKS[task["do"]][task["channel"]["kind"]](task)
    except Exception as error:  # noqa: BLE001 whatever a library throws is one failed attempt
        words = f"{type(error).__name__}: {error}".replace(task.get("secret") or "\0", "***")
        return {"result": "failed", "proves": False, "reference": "", "detail": words[:MAX_DETAIL]}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(answer(json.load(sys.stdin))))
