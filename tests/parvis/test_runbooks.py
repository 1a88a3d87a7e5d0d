"""The runbooks as whoever is on call gets them: every alert's, whole."""

from parvis.alerts import alerts
from parvis.runbooks import of, runbook, runbooks

PARTS = 8


def test_every_alert_has_a_runbook_of_eight_parts_that_say_something() -> None:
    found = {name: [title for title, text in one.parts if text] for name, one in runbooks().items()}

    assert set(found) == {*alerts(), "Watchdog", "SupervisionMuette"}
    assert {name: titles for name, titles in found.items() if len(titles) != PARTS} == {}
    assert {name for name, one in runbooks().items() if len(one.first) != len(("look", "mend"))} == set()


def test_the_address_of_a_runbook_leads_to_it_and_no_other_does() -> None:
    assert of(runbook("LienCoupe")) is runbooks()["LienCoupe"]
    assert of("docs/06-runbooks.md#liencoupe") is of("/runbooks/") is of("") is of("https://elsewhere/") is None
