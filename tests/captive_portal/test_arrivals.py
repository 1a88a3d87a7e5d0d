"""Who has appeared since the last answer, whatever came before."""

from collections import deque
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from captive_portal import arrivals
from captive_portal.arrivals import Arrivals
from parvis.addresses import MacAddress

devices = st.integers(0, 5).map(lambda n: MacAddress(f"02:00:00:00:00:0{n}"))


@given(st.lists(devices, max_size=20), st.integers(0, 25))
def test_everybody_who_came_later_is_told_once_in_the_order_of_their_coming(came: list[MacAddress], past: int) -> None:
    book = Arrivals(first=1000)
    for mac in came:
        book.note(mac)

    later = came[past:] if past <= len(came) else came  # a number from the future is another gatewayd's
    assert book.since(1000 + past) == (1000 + len(came), list(dict.fromkeys(later)))


def test_a_question_that_waits_looks_at_nobody_whom_it_has_told_of() -> None:
    """It is asked again at each turn of gatewayd's loop, while thousands are remembered."""
    looked: list[int] = []

    class Watched(deque[tuple[int, MacAddress]]):
        def __reversed__(self) -> Iterator[tuple[int, MacAddress]]:
            for one in super().__reversed__():
                looked.append(one[0])
                yield one

    book = Arrivals(first=1000)
    for _ in range(arrivals.MOST):
        book.note(MacAddress("02:00:00:00:00:01"))
    last, _ = book.since(0)
    book._log = Watched(book._log)

    assert book.since(last) == (last, [])
    assert looked == [last]
