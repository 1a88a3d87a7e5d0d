"""Whatever gateways do and in whatever order they speak, all come to know the last word."""

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shared_town import SECRET, SharedTown

from captive_portal.devices import key
from captive_portal.store_remembered import Memory
from parvis.addresses import MacAddress

pytestmark = pytest.mark.slow  # real servers, and time that has to pass


DEEDS = st.one_of(
    st.tuples(st.just("accepts"), st.integers(0, 2), st.integers(0, 1)),
    st.tuples(st.just("leaves"), st.integers(0, 2), st.integers(0, 1)),
    st.tuples(st.just("exchanges"), st.integers(0, 2), st.just(0)),
    st.tuples(st.just("restarts"), st.integers(0, 2), st.just(0)),
)
counted = itertools.count(1)


@pytest.mark.slow
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(deeds=st.lists(DEEDS, min_size=1, max_size=14))
def test_whatever_happens_in_whatever_order_all_gateways_agree_on_the_last_word(
    shared: SharedTown, deeds: list[tuple[str, int, int]]
) -> None:
    """Each accepts and leaves by itself and speaks when it can; in the end everybody knows what happened last."""
    sites = shared.all[:3] or [
        shared.site(name, wall=1e9 * (n + 1)) for n, name in enumerate(("mairie", "gym", "biblio"))
    ]
    shared.exchange()
    example = next(counted)
    people = [MacAddress.parse(f"02:00:00:{example >> 8:02x}:{example & 255:02x}:0{n}") for n in (1, 2)]
    last: dict[MacAddress, bool] = {}
    for deed, which, who in deeds:
        shared.passes(10)  # longer than an exchange may take
        site, mac = sites[which], people[who]
        if deed == "accepts":
            site.doorkeeper.leave(mac)  # a session that goes on is no new acceptance
            site.accepts(mac)
            last[mac] = True
        elif deed == "leaves":
            site.doorkeeper.leave(mac)
            last[mac] = False
        elif deed == "exchanges":
            assert site.sharing.exchange()
        else:
            site.sharing._heard_up_to = 0

    for _ in range(2):
        for site in sites:
            assert site.sharing.exchange()

    for site in sites:
        with site.store.connection() as connection:
            known = {mac: Memory(connection).recall(key(mac, SECRET)) is not None for mac in people}
        assert known == {mac: last.get(mac, False) for mac in people}, site.name
        assert not [mac for mac, accepted in last.items() if not accepted and site.online(mac)]
