"""A house whose policy is the test's own, and what happens in it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from house import ANNA, House

from captive_portal.hours import building
from captive_portal.outcomes import Outcome
from captive_portal.rounds import COUNT_SECONDS
from captive_portal.store import Acceptance
from parvis.addresses import MacAddress
from parvis.inventory import Town

HOUR = 3600.0
DAY = 24 * HOUR
PARIS = ZoneInfo("Europe/Paris")
Build = Callable[..., House]


@pytest.fixture
def build(town: Town, tmp_path: Path) -> Iterator[Build]:
    """A portal with a policy of the test's own; *known* equipment, *hours* of the building, of its *radio*."""
    opened: list[House] = []

    def made(**limits: object) -> House:
        known, hours, radio = limits.pop("known", {}), limits.pop("hours", None), limits.pop("radio", None)
        house = House(town, tmp_path, **limits)
        if hours:
            house.hours = building(str(hours), "Europe/Paris")
        if radio:
            house.radio = building(str(radio), "Europe/Paris")
        house.known.update(known)  # type: ignore[call-overload]
        house.doorkeeper = house.new_doorkeeper(house.instruments)
        house.app.extensions["hall"] = house.hall()
        house.doorkeeper.__enter__()
        opened.append(house)
        return house

    yield made
    for house in opened:
        house.doorkeeper.__exit__(None, None, None)


def device(n: int) -> MacAddress:
    return MacAddress(f"02:00:00:00:{n >> 8:02x}:{n & 255:02x}")


def accepts(house: House, mac: MacAddress = ANNA, word: str = "") -> Outcome:
    given = Acceptance(mac, house.facts.site, "fr", house.facts.terms_version, "0" * 64, f"{mac}{word}")
    return house.doorkeeper.accept(given)


def transfers(house: House, mac: MacAddress, up: int, down: int) -> None:
    """Bytes move, as the kernel counts them."""
    session = house.gateway.admitted()[mac].session
    before = house.gateway.bytes.get(session, (0, 0))
    house.gateway.bytes[session] = (before[0] + up, before[1] + down)


def passes(house: House, seconds: float) -> None:
    """Time passes, and the doorkeeper walks its rounds."""
    for _ in range(int(seconds // COUNT_SECONDS)):
        house.clock.passes(COUNT_SECONDS)
        house.doorkeeper.compare()


def ended_by(house: House) -> list[str | None]:
    with house.store.connection() as connection:
        return [row[0] for row in connection.exec_driver_sql("SELECT ended_by FROM acceptances ORDER BY id")]
