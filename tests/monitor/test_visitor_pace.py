"""When the next visit is due: soon after one that failed, and not for ever."""

from monitor.visitor.process import AGAIN_SECONDS, MOST_AGAIN, Place


def place() -> Place:
    return Place("site", "guest", "eth0", {}, due=1000.0)


def test_visits_that_go_well_keep_their_pace_whatever_they_take() -> None:
    one = place()
    one.rests(1003.0, 60.0)
    one.rests(1064.0, 60.0)

    assert one.due == 1120.0


def test_a_visit_that_failed_is_made_again_soon_so_often_and_then_at_the_usual_pace() -> None:
    one, now, pauses = place(), 1010.0, []
    one.told = "page: refused"
    for _ in range(MOST_AGAIN + 2):
        one.rests(now, 60.0)
        pauses.append(one.due - now)
        now = one.due
    one.told = ""
    one.rests(now, 60.0)
    one.told = "page: refused"
    one.rests(now, 60.0)

    assert pauses == [AGAIN_SECONDS] * MOST_AGAIN + [60.0, 60.0]
    assert one.due - now == AGAIN_SECONDS


def test_a_pace_quicker_than_that_is_kept() -> None:
    one = place()
    one.told = "page: refused"
    one.rests(1001.0, 5.0)

    assert one.due == 1006.0
