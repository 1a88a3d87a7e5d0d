"""E-mail: SMTP with TLS. It proves nothing but that the town's own server has it."""

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import make_msgid
from typing import Any

from monitor.channels import Told, told

TIMEOUT_SECONDS = 20


def send(task: dict[str, Any]) -> Told:
    """Hand the letter to the server; smtplib's errors say why it would not."""
    channel, message = task["channel"], EmailMessage()
    message["From"], message["To"], message["Subject"] = channel["sender"], task["to"]["email"], task["subject"]
    message["Message-ID"] = make_msgid(domain=channel["sender"].rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(task["long"])
    context = ssl.create_default_context()
    where = (channel["host"], channel["port"])
    if channel["security"] == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(*where, timeout=TIMEOUT_SECONDS, context=context)
    else:
        server = smtplib.SMTP(*where, timeout=TIMEOUT_SECONDS)
    with server:
        if channel["security"] == "starttls":
            server.starttls(context=context)
        if channel["user"]:
            server.login(channel["user"], task["secret"])
        server.send_message(message)
    return told("accepted", reference=str(message["Message-ID"]))
