"""``python -m monitor.status.by_http``: send the public page by HTTP or WebDAV, in a process that can be ended.

A host may answer a letter a minute, and no time-out of a request counts that: whoever starts this ends it. It is told
on its standard input (a Parcel, JSON), and says on its standard error why it could not be done.
"""

import json
import sys
from base64 import b64decode

import requests

from monitor.status.parcel import Parcel

DONE = range(200, 300)


class NotDone(Exception):
    """The host does not say that it is done; whoever keeps it must act."""


def send(parcel: Parcel, seconds: float) -> None:
    """One PUT a file; by WebDAV (RFC 4918) beside its place, then a MOVE over what stands there.

    *seconds*: no request is silent for longer.
    """
    dav = parcel.target.startswith("webdav")
    base = parcel.target.replace("webdavs://", "https://").replace("webdav://", "http://").rstrip("/")
    with requests.Session() as session:
        user, colon, password = parcel.secret.partition(":")
        if colon:
            session.auth = (user, password)
        elif user:
            session.headers["Authorization"] = f"Bearer {user}"
        for name, body in parcel.files.items():
            there = f"{base}/{name}"
            first = f"{there}.new" if dav else there
            _told(session, "PUT", first, seconds, b64decode(body), {})
            if dav:
                _told(session, "MOVE", first, seconds, None, {"Destination": there, "Overwrite": "T"})


def _told(
    session: requests.Session, method: str, url: str, seconds: float, body: bytes | None, headers: dict[str, str]
) -> None:
    """One request; its answer's words are not read. Only "done" is success: to go elsewhere would lose the method."""
    answer = session.request(
        method, url, timeout=seconds, allow_redirects=False, stream=True, data=body, headers=headers
    )
    with answer:
        answer.raise_for_status()
        if answer.status_code not in DONE:
            raise NotDone(f"answers {answer.status_code} to {method}, not that it is done")


def main() -> None:
    """Send what stands on the standard input; exit code 1 and a line of why."""
    parcel = Parcel(**json.load(sys.stdin))
    try:
        send(parcel, float(sys.argv[1]))
    except NotDone as error:
        sys.exit(str(error))
    except (requests.RequestException, ValueError) as error:
        response = getattr(error, "response", None)
        sys.exit(f"{type(error).__name__}{'' if response is None else f' {response.status_code}'}")


if __name__ == "__main__":
    main()
