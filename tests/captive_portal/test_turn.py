"""What is asked together is decided one after the other, and written together."""

from house import ANNA, House
from policed import Build, device
from sqlalchemy import event

from captive_portal.outcomes import Outcome
from captive_portal.session import Event
from captive_portal.store import ACCEPTANCES_AT_ONCE, Acceptance
from captive_portal.turn import Request
from parvis.addresses import MacAddress


def accepts(mac: MacAddress, token: str = "") -> Request:
    return Request(Event.ACCEPTED, mac, Acceptance(mac, "mairie", "fr", "1.0.0", "0" * 64, token or mac.text))


def outcomes(house: House, *requests: Request) -> list[str]:
    """What became of *requests* in one transaction; those of everybody are told as often as they met somebody."""
    with house.store.transaction() as book:
        turn = house.doorkeeper._rounds.turn(book)
        done = turn.serve(requests)
    house.doorkeeper._rounds.committed(turn)
    return [one.outcome.value for each in done for one in each.values()]


def test_of_several_in_one_commit_each_gets_what_it_would_get_alone(house: House) -> None:
    assert outcomes(house, accepts(ANNA, "used"), Request(Event.LEFT, ANNA)) == [Outcome.ADMITTED, Outcome.LEFT]
    found = outcomes(
        house,
        accepts(device(1)),
        accepts(ANNA, "used"),
        accepts(device(1), "pressed twice"),
        Request(Event.EXTENDED, device(2)),
        accepts(device(2)),
        Request(Event.LEFT, device(2)),
        accepts(device(2), "and back"),
    )

    assert found == ["admitted", "replayed", "again", "nothing", "admitted", "left", "admitted"]
    with house.store.transaction() as book:
        live = {mac: one.number for mac, one in book.live().items()}
    assert live == {device(1): 2, device(2): 4}
    assert {mac: one.number for mac, one in house.doorkeeper._rounds.register.items()} == live


def test_a_full_site_is_full_for_those_who_come_together_too(build: Build) -> None:
    house = build(max_devices=3)

    found = outcomes(house, *(accepts(device(n)) for n in range(5)))

    assert found == ["admitted"] * 3 + ["refused"] * 2


def test_those_who_come_together_are_written_by_one_statement(house: House) -> None:
    statements: list[str] = []
    event.listen(house.store._engine, "before_cursor_execute", lambda *told: statements.append(told[2]))

    outcomes(house, *(accepts(device(n)) for n in range(ACCEPTANCES_AT_ONCE)))

    assert [one.partition(" ")[0] for one in statements] == ["INSERT"]
    with house.store.transaction() as book:
        assert [one.number for one in book.live().values()] == list(range(1, ACCEPTANCES_AT_ONCE + 1))


def test_more_than_one_statement_takes_are_written_by_several(house: House) -> None:
    count = 2 * ACCEPTANCES_AT_ONCE + 3

    assert outcomes(house, *(accepts(device(n)) for n in range(count))) == ["admitted"] * count
