"""The soak's own judgement: a plan is its seed's, and every broken promise is found."""

from soak_checks import Growth, Page, page_faults, stale
from soak_plan import Cast, Deed, plan

CAST = Cast(["a/1", "a/2"], ["gw-a"], ["a"], ["ap-1", "ap-2"], ["gw-a.portal", "monitor"])


def page(
    state: str = "done", sent: int = 1, first: float = 100.0, last: float = 100.0, kind: str = "call", step: int = 0
) -> Page:
    return Page(1, kind, "agent-1", 1, step, state, sent, first, last)


def test_the_same_seed_is_the_same_day_and_another_is_another() -> None:
    assert plan(7, 3600, CAST) == plan(7, 3600, CAST)
    assert plan(7, 3600, CAST) != plan(8, 3600, CAST)


def test_everything_of_a_town_happens_in_an_hour_and_the_end_is_quiet() -> None:
    deeds = plan(7, 3600, CAST)

    kinds = {"accept", "glance", "leave", "wander", "device", "ap-off", "cut-fibre", "flush-nft", "kill"}
    assert {deed.what for deed in deeds} == kinds
    assert max(deed.at for deed in deeds) < 3600 * 0.9


def test_faults_of_one_place_do_not_overlap() -> None:
    last: dict[str, Deed] = {}
    for deed in (one for one in plan(3, 7200, CAST) if one.what in {"device", "ap-off", "cut-fibre"}):
        before = last.get(deed.whom)
        assert before is None or before.at + before.seconds < deed.at
        last[deed.whom] = deed


def test_a_page_sent_once_is_no_fault_and_one_sent_twice_or_never_is() -> None:
    assert page_faults([page()], []) == []
    assert page_faults([page(sent=2, last=130.0)], []) == ["incident 1: a page of kind call was sent 2 times"]
    assert page_faults([page(sent=0)], []) == ["incident 1: a page of kind call is called done and was never sent"]
    assert page_faults([page("failed", 0)], []) == ["incident 1: a page of kind call is failed at the end"]


def test_a_page_may_go_out_twice_when_its_sender_was_killed_meanwhile_and_only_then() -> None:
    doubled = page(sent=2, first=100.0, last=130.0)

    assert page_faults([doubled], [115.0]) == []
    assert len(page_faults([doubled], [200.0])) == 1


def test_two_pages_for_one_person_and_step_are_a_fault_and_a_call_repeated_as_the_rota_says_is_none() -> None:
    assert page_faults([page(), page()], []) == ["incident 1: 2 pages of kind call for one person and step of a round"]
    assert page_faults([page(), page(step=1)], []) == []


def test_samples_older_than_four_polls_are_stale() -> None:
    assert stale({"ap-1": 3.0, "ap-2": 21.0}, 5.0) == ["ap-2: samples 21 s old"]


def test_memory_that_grows_is_found_and_a_restart_is_no_growth() -> None:
    flat, growing, restarted = Growth(), Growth(), Growth()
    for n in range(80):
        flat.note(1, 50.0, 20)
        growing.note(1, 50.0 + n, 20)
        restarted.note(n // 20, 30.0 + n, 20)

    assert flat.faults("portal") == []
    assert restarted.faults("portal") == []
    assert growing.faults("portal") == ["portal: 79.5 MB in the second quarter, 119.5 MB in the last"]


def test_descriptors_that_grow_are_found() -> None:
    leaking = Growth()
    for n in range(80):
        leaking.note(1, 50.0, 20 + n)

    assert leaking.faults("portal") == ["portal: 50 descriptors in the second quarter, 90 in the last"]
