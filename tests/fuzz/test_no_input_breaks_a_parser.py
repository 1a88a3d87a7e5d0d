"""Whatever the radio carries is an answer, a refusal or nothing: never an exception, never somebody else's."""

import struct
from collections.abc import Iterator

import pytest
from found import found
from house import ANNA, HOST, House, Visitor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from captive_portal import neighbours, netlink, protocol
from captive_portal.leases import read
from captive_portal.redirects import MAX_HEAD, Kind, answers, verdict
from parvis.inventory import Town

COLUMNS = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context"
some_bytes = st.binary(max_size=400)
pieces = st.lists(
    st.sampled_from([b"GET", b" ", b"/", b"\r\n", b"\n", b"Host:", b"HTTP/1.1", b"?", b"%", b"\x00", b"\xff", b":"])
    | st.binary(max_size=9),
    max_size=40,
).map(b"".join)


@pytest.mark.parametrize("request_", found("http"), ids=range(len(found("http"))))
def test_r38_the_redirector_answers_what_is_kept_in_the_corpus(request_: bytes) -> None:
    assert one_of_the_fixed_answers(request_)


@given(pieces)
def test_r38_the_redirector_has_an_answer_for_any_bytes(sent: bytes) -> None:
    assert one_of_the_fixed_answers(sent)


def one_of_the_fixed_answers(sent: bytes) -> bool:
    """Whether the head, once complete or too long, is answered; and never with a code phones take for the internet."""
    found_ = verdict(sent + b"\r\n\r\n", HOST)
    assert found_ is not None
    assert found_.kind in set(Kind)
    assert verdict(b"a" * (MAX_HEAD + 1), HOST) is not None
    code = answers(f"https://{HOST}/")[found_.kind].split(b" ", 2)[1]
    return code in {b"302", b"200", b"400", b"431"}


@pytest.mark.parametrize("line", found("gatewayd"), ids=range(len(found("gatewayd"))))
def test_r52_gatewayd_refuses_what_is_kept_in_the_corpus(line: bytes) -> None:
    try:
        request = protocol.parse(line)
    except protocol.Garbage:
        return
    assert protocol.parse(protocol.render(request)) == request


@pytest.mark.parametrize("data", found("netlink"), ids=range(len(found("netlink"))))
def test_r52_the_kernels_answers_may_be_cut_anywhere(data: bytes) -> None:
    assert read_to_the_end(data)


@given(some_bytes)
def test_r52_any_bytes_in_place_of_the_kernels_answer_end(data: bytes) -> None:
    assert read_to_the_end(data)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 40), some_bytes), max_size=5))
def test_r52_messages_with_wrong_lengths_end(parts: list[tuple[int, int, bytes]]) -> None:
    data = b"".join(struct.pack("=LHHLL", n + 10, kind, 0, 1, 0) + body for n, kind, body in parts)

    assert read_to_the_end(data)


def read_to_the_end(data: bytes) -> bool:
    """Every reader of netlink comes to an end, with values, or saying that there are none."""
    for kind, neighbour in neighbours.read(data):
        assert isinstance(kind, int)
        assert neighbour.mac.text
    for _, _, _, body in netlink.messages(data):
        assert len(list(netlink.attributes(body))) <= len(body)
    neighbours.kinds(data)
    return True


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=300), min_size=1, max_size=5))
def test_r52_a_devices_name_never_becomes_another_lease(names: list[str]) -> None:
    """Kea writes commas within a field as &#x2c; a line ends with a line feed, which Kea never lets into a field."""
    escaped = [name.replace(",", "&#x2c").replace("\n", "") for name in names]
    lines = [f"10.11.0.{n},02:00:00:00:00:{n:02x},,3600,1,1,0,0,{name},0," for n, name in enumerate(escaped)]

    assert [(str(one.address), one.mac.text if one.mac else "") for one in read(lines, COLUMNS.split(","))] == [
        (f"10.11.0.{n}", f"02:00:00:00:00:{n:02x}") for n in range(len(names))
    ]


@pytest.fixture(scope="module")
def house(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(town, tmp_path_factory.mktemp("fuzz") / "portal.sqlite3")
    with made.doorkeeper:
        yield made


@pytest.fixture(scope="module")
def anna(house: House) -> Visitor:
    return house.visitor()


PATHS = ["/", "/fr/", "/accept", "/fr/status", "/extend", "/leave", "/api/captive", "/terms", "/help", "/privacy", "/x"]
header_texts = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=60)
headers = st.dictionaries(
    st.sampled_from(["Accept", "Accept_Language", "User_Agent", "Origin", "Referer", "Range", "X_Forwarded_For"]),
    header_texts | st.sampled_from(["*/*;q=nan", "fr;q=9,en;q=-1", "application/captive+json;;q", "a/b," * 200]),
    max_size=4,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(PATHS)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="?"), max_size=30).map("/{}".format),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    headers,
)
def test_r38_any_get_is_a_page_or_a_refusal(anna: Visitor, path: str, query: str, sent: dict[str, str]) -> None:
    answer = anna.client.get(
        path,
        query_string=query,
        base_url=f"https://{HOST}",
        headers={name.replace("_", "-"): text for name, text in sent.items()},
        environ_overrides={"REMOTE_ADDR": anna.address},
    )

    assert answer.status_code < 500, (path, query, sent)
    assert answer.headers.get("Location", f"https://{HOST}/").startswith((f"https://{HOST}", "/"))
    assert not answer.headers.get("Location", "/").startswith("//")


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["/fr/accept", "/extend", "/leave", "/fr/", "/api/captive"]),
    st.binary(max_size=200) | st.text(max_size=50).map(lambda text: b"token=" + text.encode("utf-8", "replace")),
    st.sampled_from(["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "t/\xff", "", "a;b;=c"]),
)
def test_r38_any_form_admits_nobody_and_breaks_nothing(
    house: House, anna: Visitor, path: str, body: bytes, kind: str
) -> None:
    answer = anna.client.post(
        path,
        data=body,
        content_type=kind,
        base_url=f"https://{HOST}",
        environ_overrides={"REMOTE_ADDR": anna.address},
    )

    assert answer.status_code < 500, (path, body, kind)
    assert ANNA not in house.gateway.admitted()
