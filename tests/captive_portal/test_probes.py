"""The table of probes: whole, without contradiction, and on its page."""

from probes_page import PAGE, page

from captive_portal.probes import FAMILIES, HOSTS, PROBES


def test_the_table_of_probes_is_whole_and_without_contradiction() -> None:
    places = [(probe.host, probe.path) for probe in PROBES]

    assert len(set(places)) == len(places)
    assert {"apple", "android", "windows", "firefox", "chrome", "linux", "amazon", "roku", "other"} <= set(FAMILIES)
    assert all(probe.host == probe.host.lower() and probe.path.startswith("/") for probe in PROBES)
    assert all(not probe.body if probe.status == 204 else probe.body for probe in PROBES)
    assert "captive.apple.com" in HOSTS


def test_the_page_lists_every_probe() -> None:
    assert PAGE.read_text("utf-8") == page(), "run script/docs"
