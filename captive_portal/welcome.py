"""Has devices that appear admitted when their acceptance is remembered.

A device may appear before the word of its acceptance elsewhere: whoever had to be asked lately is looked at again.
"""

from collections.abc import Collection

from captive_portal.devices import key
from captive_portal.doorkeeper import Doorkeeper, NotStored, Outcome
from parvis.addresses import MacAddress
from parvis.running import log

MOST_LATELY = 1024


class Welcome:
    """Tells *doorkeeper* who appears at *site*; *secret* is the town's. :meth:`known` is for any thread."""

    def __init__(self, doorkeeper: Doorkeeper, site: str, secret: bytes) -> None:
        self._doorkeeper, self.site, self._secret = doorkeeper, site, secret
        self._due: dict[MacAddress, None] = {}
        self._lately: dict[MacAddress, None] = {}

    def meet(self, devices: Collection[MacAddress]) -> bool:
        """Welcome *devices* and whoever could not be before; False when the store cannot be written now."""
        self._due |= dict.fromkeys(devices)
        try:
            for mac in list(self._due):
                self._lately.pop(mac, None)
                if self._doorkeeper.arrived(mac, self.site) is Outcome.NOTHING:
                    self._lately[mac] = None
                del self._due[mac]
        except NotStored as error:
            log.debug("nobody can be welcomed now", words=str(error))
            return False
        for mac in list(self._lately)[:-MOST_LATELY]:
            self._lately.pop(mac, None)
        return True

    def known(self, devices: Collection[str]) -> None:
        """Another gateway has told of *devices*: whoever of them appeared here lately is welcome. NotStored."""
        for mac in list(self._lately):
            if key(mac, self._secret) in devices:
                self._doorkeeper.arrived(mac, self.site)
                self._lately.pop(mac, None)
