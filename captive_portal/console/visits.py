"""Who is signed in: kept in memory by a random name that only the cookie holds. A restart signs everybody out."""

import hmac
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field

from captive_portal.console.roles import MAY, Action, Role

IDLE_SECONDS = 15 * 60.0
ABSOLUTE_SECONDS = 10 * 3600.0
"""One working day, then sign in again."""
MOST_VISITS = 256


@dataclass(slots=True)
class Visit:
    """Somebody signed in; times are monotonic seconds, *form* goes into every form (CSRF).

    *proof* is the hash of the password this visit began with; empty for who came by another sign-in service.
    """

    who: str
    role: Role
    since: float
    last: float
    proof: str = ""
    language: str = ""
    knows_secrecy: bool = False
    """Whether the notice on secrecy is known to be read."""
    form: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    def may(self, action: Action | str) -> bool:
        """Whether this visitor may do *action*."""
        return Action(action) in MAY[self.role]

    def own_form(self, sent: str) -> bool:
        """Whether *sent* comes from a form shown to this visitor; compared in constant time."""
        return hmac.compare_digest(sent.encode(), self.form.encode())


class Visits:
    """Everybody signed in. For any number of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._visits: OrderedDict[str, Visit] = OrderedDict()

    def open(self, who: str, role: Role, now: float, proof: str = "") -> str:
        """Sign *who* in; the name of the visit, for the cookie. The oldest visit goes when there are too many."""
        name = secrets.token_urlsafe(32)
        with self._lock:
            self._visits[name] = Visit(who, role, now, now, proof)
            if len(self._visits) > MOST_VISITS:
                self._visits.popitem(last=False)
        return name

    def find(self, name: str, now: float) -> Visit | None:
        """The visit called *name*, which this prolongs; None when there is none, or it was idle or too long."""
        with self._lock:
            visit = self._visits.get(name)
            if visit is None:
                return None
            if now - visit.last > IDLE_SECONDS or now - visit.since > ABSOLUTE_SECONDS:
                del self._visits[name]
                return None
            visit.last = now
            return visit

    def close(self, name: str) -> None:
        """Sign out."""
        with self._lock:
            self._visits.pop(name, None)

    def count(self, now: float) -> int:
        """How many are signed in and not idle."""
        with self._lock:
            return sum(now - visit.last <= IDLE_SECONDS for visit in self._visits.values())
