"""Which port an access point sits behind, without ever reading the table that holds residents' addresses."""

from snmp_agents import SYSTEM, MemoryAgent, agent
from snmp_asking import HASTY, ask, run

from collectors.device import Device, Polled, devices
from collectors.poll import Target, poll
from collectors.snmp import ber
from collectors.snmp.session import CommunitySession
from collectors.snmp.transport import Exchange
from collectors.where import port_of
from parvis.inventory import Town

LEARNED = "1.3.6.1.2.1.17.4.3.1.2"
BEHIND = (("ap-place", "02:00:5e:01:03:01"), ("ap-parc", "02:00:5e:01:03:02"))
SWITCH = {
    **SYSTEM,
    "1.3.6.1.2.1.2.2.1.2.10101": (ber.OCTET_STRING, b"Gi1/0/1"),
    "1.3.6.1.2.1.17.1.4.1.2.3": (ber.INTEGER, 10101),
    f"{LEARNED}.2.0.94.1.3.1": (ber.INTEGER, 3),
    f"{LEARNED}.164.131.231.0.0.42": (ber.INTEGER, 3),
}


def asked() -> tuple[Polled, MemoryAgent]:
    """A switch polled twice, so that the second poll goes by what was learned."""
    memory = MemoryAgent(SWITCH)
    device = Device(name="sw-place", host="127.0.0.1", behind=BEHIND)

    async def work(exchange: Exchange) -> Polled:
        target = Target(device, CommunitySession(exchange, address, b"public", patience=HASTY))
        await poll(target, at=0.0, clock=0.0)
        return await poll(target, at=60.0, clock=60.0)

    with agent(memory) as address:
        return run(work), memory  # type: ignore[no-any-return]


def test_an_access_point_is_found_behind_its_port() -> None:
    found, _ = asked()

    told = [dict(sample.labels) for sample in found.samples if sample.metric == "port_device_info"]
    assert told == [{"device": "sw-place", "port": "Gi1/0/1", "behind": "ap-place"}]


def test_no_resident_is_looked_for() -> None:
    _, memory = asked()

    root = ber.oid(LEARNED)
    names = {name for request in memory.asked for name, _, _ in request.varbinds if name.startswith(root)}
    assert names == {ber.oid(f"{LEARNED}.2.0.94.1.3.{last}") for last in (1, 2)}


def test_a_switch_is_asked_about_the_access_points_of_its_site(town: Town) -> None:
    behind = {device.name: [name for name, _ in device.behind] for device in devices(town)}

    assert behind["sw-biblio"] == ["ap-biblio-adultes", "ap-biblio-jeunesse"]
    assert behind["ap-biblio-adultes"] == []


INTRUDER = "a4:83:e7:00:00:2a"


def test_an_intruder_is_found_behind_its_port_and_nobody_else_is_looked_for() -> None:
    memory = MemoryAgent(SWITCH)
    with agent(memory) as address:
        found = ask(address, lambda session: port_of(session, INTRUDER))

    root = ber.oid(LEARNED)
    names = {name for request in memory.asked for name, _, _ in request.varbinds if name.startswith(root)}
    assert found == "Gi1/0/1"
    assert names == {ber.oid(f"{LEARNED}.164.131.231.0.0.42")}


def test_an_address_the_switch_has_not_learned_is_nowhere() -> None:
    with agent(MemoryAgent(SWITCH)) as address:
        assert ask(address, lambda session: port_of(session, "02:00:00:00:00:66")) == ""
