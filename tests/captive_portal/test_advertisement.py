"""Router advertisements, read by somebody else's eyes."""

from ipaddress import IPv6Address, IPv6Network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captive_portal import advertisement
from captive_portal.advertisement import Offer

API = "https://wifi.cachan.example/api/captive"
OFFER = Offer(IPv6Network("2001:db8:11::/64"), IPv6Address("2001:db8:11::1"), API)
MAC = bytes.fromhex("020000000001")


@pytest.fixture(scope="module")
def seen() -> Any:
    """The message as scapy reads it."""
    from scapy.layers.inet6 import ICMPv6ND_RA  # noqa: PLC0415 it takes a second and a half to import

    return ICMPv6ND_RA(advertisement.message(OFFER, MAC, 1400))


def test_f11_option_37_carries_the_api_padded_with_zeros(seen: Any) -> None:
    raw = advertisement.message(OFFER, MAC, 1400)
    place = raw.index(API.encode()) - 2

    assert raw[place] == 37
    assert raw[place + 1] * 8 == -(-(len(API) + 2) // 8) * 8
    assert raw[place + 2 :] == API.encode() + bytes(raw[place + 1] * 8 - 2 - len(API))
    found = seen.getlayer("ICMPv6 Neighbor Discovery Option - Captive-Portal Option")
    assert found is not None
    assert found.URI.rstrip(b"\0").decode() == API


def test_prefix_resolver_mtu_and_lifetimes_are_read_as_written(seen: Any) -> None:
    prefix = seen.getlayer("ICMPv6 Neighbor Discovery Option - Prefix Information")
    resolver = seen.getlayer("ICMPv6 Neighbor Discovery Option - Recursive DNS Server Option")
    mtu = seen.getlayer("ICMPv6 Neighbor Discovery Option - MTU")

    assert (seen.routerlifetime, seen.M, seen.O, seen.chlim) == (2700, 0, 1, 64)
    assert (prefix.prefix, prefix.prefixlen, prefix.L, prefix.A) == ("2001:db8:11::", 64, 1, 1)
    assert prefix.preferredlifetime < prefix.validlifetime
    assert (resolver.dns, resolver.lifetime, mtu.mtu) == (["2001:db8:11::1"], 2700, 1400)


@given(st.text("abc/.:-", min_size=1, max_size=255))
def test_any_api_address_survives_the_padding(api: str) -> None:
    message = advertisement.message(Offer(OFFER.prefix, OFFER.resolver, api), MAC, 1500)

    assert len(message) % 8 == 0
    assert advertisement.options(message)[37].rstrip(b"\0").decode() == api


@given(st.binary(max_size=64), st.integers(0, 255))
def test_r52_only_a_solicitation_from_the_link_is_answered(data: bytes, hop_limit: int) -> None:
    good = hop_limit == 255 and len(data) >= 8 and data[0] == 133 and data[1] == 0

    assert advertisement.asks(data, hop_limit) == good
    advertisement.options(data)
