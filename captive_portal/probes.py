"""What operating systems ask to find out whether they are behind a portal: one table, as data.

Metrics name the family of a probe from it, the walled garden refuses its hosts, the tests' internet gives its true
answers, and docs/12-detection.md prints it. Sources: the clients' own code and documents, the lists other portals
keep; only what at least two of them agree on, or what the owner's configuration says, is in it.
"""

from typing import NamedTuple

OTHER = "other"
"""Whatever is no probe; a visited name is never kept."""


class Probe(NamedTuple):
    """One question, and the answer that means "online".

    *alone*: the host serves nothing but probes, so that any path there is one. An empty *body* is an empty answer;
    a body that is not empty must be in the answer, for *exact* it must be the answer, but for space around it.
    """

    family: str
    asks: str
    host: str
    path: str
    status: int = 204
    body: str = ""
    exact: bool = True
    alone: bool = True
    scheme: str = "http"

    @property
    def url(self) -> str:
        """The address that is asked."""
        return f"{self.scheme}://{self.host}{self.path}"

    def online(self, status: int, body: str) -> bool:
        r"""Whether an answer is the owner's own.

        >>> Probe("linux", "KDE", "networkcheck.kde.org", "/", 200, "OK").online(200, "OK\n")
        True
        """
        if status != self.status:
            return False
        return body.strip() == self.body if self.exact else self.body in body


_APPLE = "<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>"
_FIREFOX = '<meta http-equiv="refresh" content="0;url=https://support.mozilla.org/kb/captive-portal"/>'
_NETWORK_MANAGER = "NetworkManager is online"
_KINDLE = "81ce4465-7167-4dcb-835b-dcc9e44c112a"
_204 = "/generate_204"
_PART_OF_MANY = (False, False)
"""Not exact, not alone."""

PROBES = (
    Probe("apple", "iOS, iPadOS, macOS", "captive.apple.com", "/hotspot-detect.html", 200, _APPLE),
    Probe("apple", "iOS, macOS, older", "www.apple.com", "/library/test/success.html", 200, _APPLE, alone=False),
    Probe("apple", "iOS 7 to 9", "www.appleiphonecell.com", "/library/test/success.html", 200, _APPLE),
    Probe("apple", "iOS 7 to 9", "www.airport.us", "/library/test/success.html", 200, _APPLE),
    Probe("apple", "iOS 7 to 9", "www.ibook.info", "/library/test/success.html", 200, _APPLE),
    Probe("apple", "iOS 7 to 9", "www.itools.info", "/library/test/success.html", 200, _APPLE),
    Probe("apple", "iOS 7 to 9", "www.thinkdifferent.us", "/library/test/success.html", 200, _APPLE),
    Probe("apple", "iOS, macOS", "netcts.cdn-apple.com", "/", 200, _APPLE),
    Probe("android", "Android", "connectivitycheck.gstatic.com", _204),
    Probe("android", "Android, over TLS", "www.google.com", _204, alone=False, scheme="https"),
    Probe("android", "Android, fall-back", "www.google.com", "/gen_204", alone=False),
    Probe("android", "Android, fall-back", "play.googleapis.com", _204, alone=False),
    Probe("android", "Android 5, 6; Samsung", "connectivitycheck.android.com", _204),
    Probe("android", "Samsung", "connectivity.samsung.com.cn", _204),
    Probe("android", "Samsung", "d2uzsrnmmf6tds.cloudfront.net", _204),
    Probe("android", "Huawei", "connectivitycheck.platform.hicloud.com", _204),
    Probe("android", "Huawei", "connectivitycheck.cbg-app.huawei.com", _204),
    Probe("android", "Honor", "connectivitycheck.platform.hihonorcloud.com", _204),
    Probe("android", "Xiaomi", "connect.rom.miui.com", _204),
    Probe("android", "OPPO, OnePlus, realme", "conn1.oppomobile.com", _204),
    Probe("android", "vivo", "wifi.vivo.com.cn", _204),
    Probe("android", "Android sold in China", "g.cn", _204, alone=False),
    Probe("android", "Android sold in China", "www.google.cn", _204, alone=False),
    Probe("android", "GrapheneOS", "connectivitycheck.grapheneos.network", _204),
    Probe("android", "/e/OS", "204.ecloud.global", "/"),
    Probe("windows", "Windows 10, 11", "www.msftconnecttest.com", "/connecttest.txt", 200, "Microsoft Connect Test"),
    Probe("windows", "Windows 10, 11", "ipv6.msftconnecttest.com", "/connecttest.txt", 200, "Microsoft Connect Test"),
    Probe("windows", "Windows 7, 8", "www.msftncsi.com", "/ncsi.txt", 200, "Microsoft NCSI"),
    Probe("windows", "Windows 7, 8", "ipv6.msftncsi.com", "/ncsi.txt", 200, "Microsoft NCSI"),
    Probe("windows", "Edge", "edge.microsoft.com", "/captiveportal/generate_204", alone=False),
    Probe("windows", "Edge", "edge-http.microsoft.com", "/captiveportal/generate_204"),
    Probe("firefox", "Firefox", "detectportal.firefox.com", "/canonical.html", 200, _FIREFOX),
    Probe("firefox", "Firefox, each family", "detectportal.firefox.com", "/success.txt", 200, "success"),
    Probe("chrome", "Chrome, Chromium", "www.gstatic.com", _204, alone=False),
    Probe("chrome", "ChromeOS; Android 4", "clients3.google.com", _204, alone=False),
    Probe("linux", "NetworkManager (GNOME)", "nmcheck.gnome.org", "/check_network_status.txt", 200, _NETWORK_MANAGER),
    Probe("linux", "Debian", "network-test.debian.org", "/nm", 200, _NETWORK_MANAGER),
    Probe("linux", "Ubuntu", "connectivity-check.ubuntu.com", "/"),
    Probe("linux", "Fedora", "fedoraproject.org", "/static/hotspot.txt", 200, "OK", alone=False),
    Probe("linux", "Arch Linux", "ping.archlinux.org", "/nm-check.txt", 200, _NETWORK_MANAGER),
    Probe("linux", "openSUSE", "conncheck.opensuse.org", "/", 200, _NETWORK_MANAGER),
    Probe("linux", "KDE", "networkcheck.kde.org", "/", 200, "OK"),
    Probe("amazon", "Kindle", "spectrum.s3.amazonaws.com", "/kindle-wifi/wifistub.html", 200, _KINDLE, *_PART_OF_MANY),
    Probe("amazon", "Fire tablets", "fireoscaptiveportal.com", _204),
    Probe("amazon", "Fire tablets", "tabletcaptiveportal.com", _204),
    Probe("amazon", "Fire tablets for children", "freetimecaptiveportal.com", _204),
    Probe("roku", "Roku", "captive.roku.com", "/ok", 200, "ok"),
    Probe("console", "Steam Deck", "test.steampowered.com", "/204"),
    Probe("console", "Nintendo", "conntest.nintendowifi.net", "/", 200, "test.html", exact=False),
    Probe("console", "Nintendo", "ctest.cdn.nintendo.net", "/", 200, "ok"),
)
"""Every probe known. The first of a family is the one its current devices ask first."""

FAMILIES = (*dict.fromkeys(probe.family for probe in PROBES), OTHER)
"""The label's values in metrics."""

NCSI_NAME, NCSI_ADDRESS = "dns.msftncsi.com", "131.107.255.255"
"""What Windows resolves beside its probe, and the address it expects."""

HOSTS = frozenset(probe.host for probe in PROBES) | {NCSI_NAME}
"""No walled garden may open one: the device would take itself for online, and show no portal."""

_BY_PLACE = {(probe.host, probe.path): probe.family for probe in PROBES}
_BY_HOST = {probe.host: probe.family for probe in PROBES if probe.alone}


def family(host: str, path: str) -> str:
    """The family that asks *path* (without its query) of *host* (lower case, without its port); else ``other``.

    >>> family("captive.apple.com", "/any"), family("www.google.com", "/gen_204"), family("www.google.com", "/search")
    ('apple', 'android', 'other')
    """
    return _BY_HOST.get(host) or _BY_PLACE.get((host, path), OTHER)


def first_of(name: str) -> Probe:
    """The probe a family's current devices ask first; KeyError for a family there is not."""
    for probe in PROBES:
        if probe.family == name:
            return probe
    raise KeyError(name)


_SPOKEN = (
    ("CaptiveNetworkSupport", "apple"),
    ("Dalvik", "android"),
    ("Android", "android"),
    ("Chrome/60.0.3112.32", "android"),  # what Android's NetworkMonitor calls itself (AOSP, NetworkStack)
    ("Windows", "windows"),
    ("Microsoft", "windows"),
    ("iPhone", "apple"),
    ("iPad", "apple"),
    ("Macintosh", "apple"),
    ("CFNetwork", "apple"),
    ("CrOS", "chrome"),
    ("Firefox", "firefox"),
    ("NetworkManager", "linux"),
    ("systemd", "linux"),
    ("Linux", "linux"),
)


def speaker(user_agent: str) -> str:
    """The family of a client of the API, by the name it gives itself; ``other`` when it gives none we know.

    >>> speaker("CaptiveNetworkSupport-481.140.2 wispr"), speaker("curl/8.0"), speaker("")
    ('apple', 'other', 'other')
    """
    return next((found for word, found in _SPOKEN if word in user_agent), OTHER)
