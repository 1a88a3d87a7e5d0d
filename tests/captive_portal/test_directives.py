"""Staff's orders: given, standing, over."""

from pathlib import Path

import pytest
from house import Clock, House
from hypothesis import given
from hypothesis import strategies as st

from captive_portal.directives import LONGEST, SHORTEST, Directive, Kind, Order, Refused, checked
from captive_portal.rounds import PURGE_EVERY, READ_EVERY
from captive_portal.session import Now
from captive_portal.store import Store
from captive_portal.store_directives import Directives
from captive_portal.store_migration import migrate
from parvis.inventory import Town

CLOSED = Order(Kind.CLOSED, "agent", "inondation")
BANNER = Order(Kind.BANNER, "agent", "CGU-11", fr="Attention : hameçonnage", en="Beware: phishing")
BLOCK = Order(Kind.BLOCK, "agent", "abus", device="d" * 64)
KEY, OTHER = "d" * 64, "e" * 64


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    migrate(tmp_path / "portal.sqlite3")
    return Store(tmp_path / "portal.sqlite3")


@pytest.fixture
def orders(store: Store, clock: Clock) -> Directives:
    return Directives(store, "mairie", clock)


def test_an_order_stands_until_its_time_is_over(orders: Directives, clock: Clock) -> None:
    orders.give(CLOSED, 600)
    clock.passes(599)
    standing = orders.latest(Kind.CLOSED)
    clock.passes(1)

    assert standing is not None
    assert standing.remaining(Now("boot-1", clock.since_boot - 1, clock.wall - 1)) == 1
    assert orders.latest(Kind.CLOSED) is None
    assert orders.standing() == ()


def test_r32_orders_survive_a_restart_and_a_reboot(store: Store, orders: Directives, clock: Clock) -> None:
    for order in (CLOSED, BANNER, BLOCK):
        orders.give(order, 600)
    restarted = Directives(store, "mairie", clock).standing()
    before = orders.standing()
    clock.boot, clock.since_boot, clock.wall = "boot-2", 5.0, clock.wall + 100
    rebooted = Directives(store, "mairie", clock)

    assert restarted == before
    assert [directive.order for directive in rebooted.standing()] == [CLOSED, BANNER, BLOCK]
    assert {directive.remaining(clock()) for directive in rebooted.standing()} == {500.0}


def test_a_clock_stepped_by_a_day_ends_no_order_and_prolongs_none(orders: Directives, clock: Clock) -> None:
    orders.give(CLOSED, 600)
    clock.wall += 86400
    ahead = orders.latest(Kind.CLOSED)
    clock.wall -= 2 * 86400

    assert ahead is not None
    assert ahead.remaining(clock()) == 600
    clock.since_boot += 600
    assert orders.latest(Kind.CLOSED) is None


def test_an_order_ended_by_hand_is_over_also_after_a_restart(store: Store, orders: Directives, clock: Clock) -> None:
    given = orders.give(CLOSED, 600)

    assert orders.end(given.number, "agent") == given
    assert orders.end(given.number, "agent") is None
    assert orders.standing() == Directives(store, "mairie", clock).standing() == ()


def test_a_block_is_about_one_device(orders: Directives) -> None:
    orders.give(BLOCK, 600)

    assert orders.latest(Kind.BLOCK, KEY) is not None
    assert orders.latest(Kind.BLOCK, OTHER) is None


def test_the_newest_banner_is_the_one_shown(orders: Directives) -> None:
    orders.give(BANNER, 600)
    second = orders.give(Order(Kind.BANNER, "agent", "suite", fr="Deux", en="Two"), 300)

    assert orders.latest(Kind.BANNER) == second


def test_another_sites_orders_are_not_ours(store: Store, orders: Directives, clock: Clock) -> None:
    orders.give(CLOSED, 600)

    assert Directives(store, "stade", clock).standing() == ()


def test_f56_orders_of_a_year_ago_are_erased_although_nobody_gives_another(house: House) -> None:
    house.directives.give(Order(Kind.CLOSED, "agent", "première inondation"), 600)
    house.clock.passes(86400)
    house.directives.give(CLOSED, 600)
    house.clock.passes(364 * 86400 + 1)
    for _ in range(READ_EVERY * PURGE_EVERY + 1):
        house.doorkeeper.compare()
    with house.store.connection() as connection:
        reasons = connection.exec_driver_sql("SELECT reason FROM directives").scalars().all()

    assert reasons == ["inondation"]


@pytest.mark.parametrize(
    ("order", "seconds", "why"),
    [
        (CLOSED, SHORTEST - 1, "lasts between"),
        (CLOSED, LONGEST[Kind.CLOSED] + 1, "lasts between"),
        (CLOSED, float("nan"), "lasts between"),
        (Order(Kind.OPEN_DOOR, "agent", "panne"), 5 * 3600, "lasts between"),
        (Order(Kind.CLOSED, "", "inondation"), 600, "by whom and why"),
        (Order(Kind.CLOSED, "agent", " "), 600, "by whom and why"),
        (Order(Kind.CLOSED, "agent", "x" * 301), 600, "at most 300"),
        (Order(Kind.BANNER, "agent", "x", fr="Bonjour"), 600, "in French and in English"),
        (Order(Kind.BLOCK, "agent", "x"), 600, "about one device"),
        (Order(Kind.CLOSED, "agent", "x", device=KEY), 600, "about one device"),
    ],
)
def test_what_cannot_be_ordered_is_refused_in_words(orders: Directives, order: Order, seconds: float, why: str) -> None:
    with pytest.raises(Refused, match=why):
        orders.give(order, seconds)
    assert orders.standing() == ()


@given(
    st.floats(SHORTEST, LONGEST[Kind.CLOSED]),
    st.floats(0, 1e9),
    st.floats(0, 2e9),
    st.sampled_from(["boot-1", "boot-2"]),
)
def test_an_order_never_lasts_longer_than_it_was_given_for(seconds: float, up: float, wall: float, boot: str) -> None:
    directive = Directive(1, checked(CLOSED, seconds), 1e9, seconds, "boot-1", 1000 + seconds)
    now = Now(boot, up, wall)

    assert 0 <= directive.remaining(now) <= seconds
    assert directive.anchored(now).remaining(now) == pytest.approx(directive.remaining(now), abs=1e-6)


@pytest.mark.parametrize(("language", "words"), [("fr", "Attention\u00a0: hameçonnage"), ("en", "Beware: phishing")])
def test_cgu11_a_banner_is_on_every_page_at_once_and_goes_by_itself(
    town: Town, tmp_path: Path, language: str, words: str
) -> None:
    house = House(town, tmp_path)
    anna = house.visitor()
    pages = [f"/{language}/{name}" for name in ("", "cgu", "mentions", "accessibilite", "goodbye")]
    before = [words in anna.get(page).text for page in pages]
    house.directives.give(BANNER, 600)
    during = [words in anna.get(page).text for page in pages]
    house.clock.passes(600)
    after = [words in anna.get(page).text for page in pages]

    assert (any(before), all(during), any(after)) == (False, True, False)


def test_a_banner_is_text_and_never_markup(town: Town, tmp_path: Path) -> None:
    house = House(town, tmp_path)
    house.directives.give(Order(Kind.BANNER, "agent", "essai", fr="<script>x</script>", en="<b>x</b>"), 600)

    assert "&lt;script&gt;x" in house.visitor().get("/fr/").text
