"""Waits at gatewayd for devices that appear, and tells of them: the welcome, and the count of how far devices come."""

from captive_portal.funnel import Following
from captive_portal.remote import Door, GatewayAway
from captive_portal.welcome import Welcome
from parvis.running import Turns, log

WAIT_SECONDS = 2.0
"""A question's length; stopping the portal waits for its end."""
AGAIN_SECONDS = 1.0


class Arriving:
    """One thread that asks *door*; start it with ``with arriving.turns``."""

    def __init__(self, door: Door, welcome: Welcome, following: Following) -> None:
        self._door, self._welcome, self._following = door, welcome, following
        self._after: int | None = None
        self.turns = Turns("arriving", lambda: self.look(WAIT_SECONDS))

    def look(self, seconds: float) -> float:
        """Wait at most *seconds* for devices and tell of them; for how long to rest then.

        Whoever was there before the first look is welcomed, and is not new.
        """
        try:
            first = self._after is None
            self._after, devices = self._door.arrivals(self._after or 0, 0 if first else seconds)
            if not first:
                self._following.meet(devices)
            welcomed = self._welcome.meet(devices)
            self._following.read()
        except GatewayAway as error:
            log.debug("nobody is seen to arrive now", words=str(error))
            return AGAIN_SECONDS
        return 0.0 if welcomed else AGAIN_SECONDS
