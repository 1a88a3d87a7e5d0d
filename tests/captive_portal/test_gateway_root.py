"""The whole door with its real programs: Kea, dnsmasq, nftables, gatewayd, the portal, and a resident's DHCP client."""

import json
import signal
import socket
import ssl
import time
from contextlib import closing
from pathlib import Path

import pytest
from door_twin import WEB4, WEB6, Inside, Resident, Twin, connect, pss, refused, stops, wait_for

pytestmark = [pytest.mark.root, pytest.mark.slow]
PORTAL = "https://wifi.cachan.example"


@pytest.fixture
def online(anna: Resident) -> Resident:
    """A resident who has accepted."""
    if anna.api()["captive"]:
        anna.accepts()
    assert anna.reaches(WEB4)
    return anna


def test_a_lease_names_the_captive_portal_api(twin: Twin) -> None:
    lease = twin.resident("c1").joins()

    assert bytes.fromhex(lease["opt114"]).decode() == f"{PORTAL}/api/captive"
    assert (lease["router"], lease["dns"]) == ("10.11.0.1", "10.11.0.1")


def test_plain_http_is_led_to_the_portal_and_https_refused_at_once(anna: Resident) -> None:
    assert anna.code("http://203.0.113.80/generate_204") == f"302 {PORTAL}/"
    assert anna.code("http://wifi.cachan.example/x") == f"302 {PORTAL}/?plain=1"
    for address in (WEB4, f"[{WEB6}]"):
        took = anna.run("curl", "-sS", "-o", "/dev/null", "-w", "%{time_total}", f"https://{address}/", check=False)
        assert float(took) < 0.1
    assert not anna.reaches(WEB4)
    assert not anna.reaches(WEB6)


def test_f05_f24_accepting_opens_both_families_and_the_api_tells_the_truth(anna: Resident) -> None:
    assert anna.api() == {"captive": True, "user-portal-url": f"{PORTAL}/", "venue-info-url": f"{PORTAL}/ici"}

    assert anna.accepts() == f"303 {PORTAL}/fr/status"

    assert "Vous êtes en ligne" in anna.curl(f"{PORTAL}/fr/status")
    assert anna.reaches(WEB4)
    assert anna.reaches(WEB6)
    answer = anna.api()
    assert answer["captive"] is False
    assert 1790 <= int(str(answer["seconds-remaining"])) <= 1800


def test_f23_r30_whoever_accepts_over_ipv6_is_online_over_both(twin: Twin, online: Resident) -> None:
    online.leaves()
    here = ["--resolve", "wifi.cachan.example:443:2001:db8:11::1", "-6"]

    page = online.run("curl", "-sS", "--cacert", str(twin.certificate), *here, f"{PORTAL}/fr/")
    token = page.split('name="token" value="', 1)[1].split('"', 1)[0]
    answer = online.run(
        "curl", "-sS", "-w", "%{http_code}", "--cacert", str(twin.certificate), *here, "-d", f"token={token}",
        f"{PORTAL}/fr/accept",
    )  # fmt: skip

    assert answer.endswith("303")
    assert online.reaches(WEB4)
    assert online.reaches(WEB6)


def test_sec13_no_resident_reaches_the_equipment_the_centre_or_mail(twin: Twin, online: Resident) -> None:
    for address, port in (("10.91.1.1", 9202), ("10.90.0.1", 80), ("10.12.0.1", 80), (WEB4, 25), ("10.11.0.1", 8443)):
        assert refused(online.namespace, (address, port)), f"{address}:{port} answers a resident"
    assert twin.within("inet", "curl", "-sS", "--interface", "10.90.0.1", "http://10.91.1.1:9202/healthz").startswith(
        "{"
    )


def test_f18_f26_leaving_ends_a_running_download_and_closes_the_door(twin: Twin, online: Resident) -> None:
    with closing(connect(online.namespace, (WEB4, 5000))) as download:
        assert download.recv(100)

        assert online.leaves() == f"303 {PORTAL}/fr/goodbye"

        assert stops(download, 3)
    assert not online.reaches(WEB4)
    assert not online.reaches(WEB6)
    assert online.api()["captive"] is True
    wait_for(lambda: twin.metric(9201, "portal_sessions_active") == 0, "empty house")


def test_f22_sec13_a_neighbours_address_without_a_lease_gets_nowhere(twin: Twin) -> None:
    stranger = twin.resident("c2")
    stranger.run("ip", "addr", "add", "10.11.0.99/22", "dev", "eth0")
    stranger.run("ip", "route", "replace", "default", "via", "10.11.0.1")

    assert stranger.code("http://203.0.113.80/") == "000"
    assert not stranger.reaches(WEB4)


def test_f43_a_foreign_flush_is_undone_within_seconds(twin: Twin, online: Resident) -> None:
    twin.within("gw", "nft", "flush", "ruleset")

    took = wait_for(lambda: "policy drop" in twin.within("gw", "nft", "list", "ruleset"), "ruleset", 3)
    back = wait_for(lambda: online.reaches(WEB4), "the session", 5)
    print(f"\nafter nft flush ruleset: rules back in {took * 1e3:.0f} ms, the session in {back:.1f} s")
    assert twin.metric(9202, 'gateway_ruleset_loads_total{reason="altered"}') >= 1
    assert twin.metric(9201, 'portal_repairs_total{direction="missing"}') >= 1


def test_a_flushed_chain_is_noticed_too(twin: Twin, online: Resident) -> None:
    twin.within("gw", "nft", "flush", "chain", "inet", "portal", "forward")

    wait_for(lambda: "@lease4" in twin.within("gw", "nft", "list", "ruleset"), "rules", 3)
    wait_for(lambda: "goto up" in twin.within("gw", "nft", "list", "chain", "inet", "portal", "forward"), "rules", 3)
    assert online.reaches(WEB4)


def test_f38_gatewayd_may_be_killed_and_nobody_notices(twin: Twin, online: Resident) -> None:
    twin.stop("gatewayd", signal.SIGKILL)
    assert online.reaches(WEB4)
    assert online.code(f"{PORTAL}/fr/status").startswith("503")
    assert "ne répond pas" in online.curl(f"{PORTAL}/fr/status")

    twin.start_gatewayd()

    assert online.reaches(WEB4)
    assert online.api()["captive"] is False


def test_f38_r48_the_portal_may_be_restarted_and_nobody_is_logged_out(twin: Twin, online: Resident) -> None:
    twin.stop("portal", signal.SIGKILL)
    wait_for(lambda: not twin.healthy(9201), "end of the portal")
    assert online.reaches(WEB4)

    twin.start_portal()

    assert online.api()["captive"] is False
    assert twin.metric(9201, "portal_sessions_active") == 1


def test_whoever_left_while_gatewayd_was_away_is_out_when_it_is_back(twin: Twin, online: Resident) -> None:
    token = online.token("/fr/status", "leave")
    twin.stop("gatewayd")
    assert online.code("-d", f"token={token}", f"{PORTAL}/fr/leave").startswith("503")

    twin.start_gatewayd()

    assert online.reaches(WEB4), "the click could not be attributed to a device: nothing changes"


def test_gatewayd_refuses_strangers_and_garbage_and_counts_them(twin: Twin) -> None:
    before = {reason: refusals(twin, reason) for reason in ("peer", "garbage", "oversized")}

    stranger = twin.ask(b'{"op": "status"}', uid=65534)
    answers = twin.ask(b'{"op": "status"}', b"\xff\xfe", b'{"op": "load", "text": "flush ruleset"}')
    twin.ask(b"[" * 70_000)  # hung up on while it still writes, so it may miss the answer

    assert stranger in ([], [b'{"ok":false,"error":"peer"}']), "hung up on at once: it may be too busy writing to read"
    assert [json.loads(answer)["ok"] for answer in answers] == [True, False, False]
    after = {reason: refusals(twin, reason) for reason in before}
    assert {reason: after[reason] - before[reason] for reason in before} == {"peer": 1, "garbage": 2, "oversized": 1}


def refusals(twin: Twin, reason: str) -> float:
    return twin.metric(9202, f'gateway_refused_total{{reason="{reason}"}}')


def test_sec10_the_processes_can_do_no_more_than_they_must(twin: Twin) -> None:
    for name, expected in (("gatewayd", 1 << 12), ("portal", 0)):
        status = Path(f"/proc/{twin.processes[name].pid}/status").read_text("ascii")
        assert int(status.split("CapEff:\t")[1].split()[0], 16) == expected
        assert "Uid:\t0" not in status


def test_once_the_accept_is_answered_the_first_connection_passes(twin: Twin, online: Resident) -> None:
    """It is not refused, whatever came before; how long it takes, ``script/bench portal`` says."""
    times = []
    for _ in range(12):
        online.leaves()
        assert not online.reaches(WEB4)
        times.append(accept_to_first_packet(twin, online, online.token()))
    middle, worst = sorted(times)[6] * 1e3, max(times) * 1e3
    print(f"\naccept to first forwarded packet: median {middle:.1f} ms, worst {worst:.1f} ms")


def accept_to_first_packet(twin: Twin, resident: Resident, token: str) -> float:
    """Seconds from the POST on an open TLS connection to the answer of a host beyond the uplink."""
    body = f"token={token}".encode()
    head = (
        f"POST /fr/accept HTTP/1.1\r\nHost: wifi.cachan.example\r\nContent-Length: {len(body)}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    ).encode()
    context = ssl.create_default_context(cafile=str(twin.certificate))
    with (
        connect(resident.namespace, ("10.11.0.1", 443)) as plain,
        Inside(resident.namespace),
        context.wrap_socket(plain, server_hostname="wifi.cachan.example") as portal,
    ):
        started = time.perf_counter()
        portal.sendall(head + body)
        assert portal.recv(1000).startswith(b"HTTP/1.1 303")
        with closing(socket.create_connection((WEB4, 80), 2)):
            return time.perf_counter() - started


def test_memory_stays_small(twin: Twin) -> None:
    sizes = {name: pss(twin.processes[name].pid) for name in ("portal", "gatewayd")}
    print("\nPSS in MB:", {name: round(size, 1) for name, size in sizes.items()})
    assert sizes["gatewayd"] < 30
    assert sizes["portal"] < 75


def test_no_log_names_a_device(twin: Twin, online: Resident) -> None:
    logs = "".join((twin.folder / f"{name}.log").read_text() for name in ("gatewayd", "portal"))

    assert '"started"' in logs
    assert online.mac not in logs
    assert online.ipv4 not in logs
