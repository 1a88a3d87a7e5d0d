"""Where the portal is: the page and the API (RFC 8908), by the portal's host name."""

API_PATH = "/api/captive"
VENUE_PATH = "/ici"
"""The page about who runs the network here, which RFC 8908 calls venue-info-url: open in both states."""


def page(host: str) -> str:
    """The first page.

    >>> page("wifi.cachan.example")
    'https://wifi.cachan.example/'
    """
    return f"https://{host}/"


def api(host: str) -> str:
    """The captive portal API, which DHCP hands out.

    >>> api("wifi.cachan.example")
    'https://wifi.cachan.example/api/captive'
    """
    return f"https://{host}{API_PATH}"


def venue(host: str) -> str:
    """The page about the operator and the place.

    >>> venue("wifi.cachan.example")
    'https://wifi.cachan.example/ici'
    """
    return f"https://{host}{VENUE_PATH}"
