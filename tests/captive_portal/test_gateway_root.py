"""The whole door with its real programs: Kea, dnsmasq, nftables, gatewayd, the portal, and a resident's DHCP client."""

import pytest

from door_twin import WEB4, WEB6, Resident, Twin, wait_for

pytestmark = [pytest.mark.root, pytest.mark.slow]


def test_a_lease_names_the_captive_portal_api(twin: Twin) -> None:
    lease = twin.resident("c1").takes_a_lease()

    assert bytes.fromhex(lease["opt114"]).decode() == "https://wifi.cachan.example/api/captive"
    assert (lease["router"], lease["dns"]) == ("10.11.0.1", "10.11.0.1")


def test_plain_http_is_led_to_the_portal_and_https_refused_at_once(anna: Resident) -> None:
    assert anna.code("http://203.0.113.80/generate_204") == "302 https://wifi.cachan.example/"
    refused = anna.run("curl", "-sS", "-o", "/dev/null", "-w", "%{time_total}", f"https://{WEB4}/", check=False)
    assert float(refused) < 0.1
    assert not anna.reaches(WEB4)


def test_accepting_opens_both_families_and_the_api_tells_the_truth(twin: Twin, anna: Resident) -> None:
    assert anna.api() == {"captive": True, "user-portal-url": "https://wifi.cachan.example/"}

    assert anna.accepts() == "303 https://wifi.cachan.example/fr/status"

    assert "Vous êtes en ligne" in anna.curl("https://wifi.cachan.example/fr/status")
    assert anna.reaches(WEB4)
    assert anna.reaches(WEB6)
    answer = anna.api()
    assert answer["captive"] is False
    assert 1790 <= int(str(answer["seconds-remaining"])) <= 1800


def test_leaving_closes_the_door(twin: Twin, anna: Resident) -> None:
    assert anna.leaves() == "303 https://wifi.cachan.example/fr/goodbye"
    assert not anna.reaches(WEB4)
    assert anna.api()["captive"] is True
    wait_for(lambda: twin.metric(9201, "portal_sessions_active") == 0, "empty house")
