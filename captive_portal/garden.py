"""The walled garden: the town's own services that are reachable before acceptance, by name, in both families.

It opens addresses, because packets carry no names. So a name is refused when a phone's detection would break, or when
its addresses are those of thousands of other sites. Names that merely lead to such addresses are found at run time.
"""

from collections.abc import Collection

from captive_portal.probes import HOSTS
from captive_portal.tables import TABLE
from parvis.inventory import Fault, Site, Town

LONGEST_SECONDS = 1800
"""No answer is kept longer, by dnsmasq or by a phone: an address that is still in use is then still in the set."""
SHARED = (
    "akamai.net",
    "akamaiedge.net",
    "akamaized.net",
    "amazonaws.com",
    "azureedge.net",
    "azurefd.net",
    "b-cdn.net",
    "cdn77.org",
    "cloudapp.net",
    "cloudflare.net",
    "cloudfront.net",
    "edgekey.net",
    "edgesuite.net",
    "fastly.net",
    "fastlylb.net",
    "github.io",
    "googleapis.com",
    "googleusercontent.com",
    "herokuapp.com",
    "netlify.app",
    "pages.dev",
    "trafficmanager.net",
    "vercel.app",
    "windows.net",
    "workers.dev",
)
"""Domains of networks that answer for everybody from the same addresses."""
PUBLIC = ("asso.fr", "com.cn", "com.fr", "co.uk", "eu.org", "gouv.fr", "nom.fr", "org.uk", "prd.fr", "tm.fr")
"""Suffixes under which many register."""


def faults(town: Town) -> list[Fault]:
    """The names of the garden that may not be in it, and why."""
    hosts = {town.portal.host, *(town.policy(site).host for site in town.sites)}
    found = []
    for place, name in enumerate(town.garden):
        if why := refused(name, hosts):
            found.append(
                Fault("town.yml", 1, f"garden.{place}", f"{name}: {why}", "take it out, or name one host of yours")
            )
    return found


def refused(name: str, portals: Collection[str] = ()) -> str:
    """Why *name*, with everything below it, may not be open before acceptance; empty when it may.

    >>> refused("apple.com")
    'phones ask captive.apple.com to find out about portals; if it answers, they believe they are online'
    >>> refused("maps.google.com")
    'it shares addresses with clients3.google.com, which phones ask to find out about portals'
    >>> refused("d111.cloudfront.net"), refused("famille.cachan.example")
    ('cloudfront.net answers for thousands of sites from the same addresses', '')
    """
    for host in sorted(HOSTS):
        if _below(host, name):
            return f"phones ask {host} to find out about portals; if it answers, they believe they are online"
    for domain in SHARED:
        if _below(name, domain) or _below(domain, name):
            return f"{domain} answers for thousands of sites from the same addresses"
    for host in sorted(HOSTS):
        if _below(name, owner(host)):
            return f"it shares addresses with {host}, which phones ask to find out about portals"
    if name in PUBLIC:
        return "everybody may have a name below it"
    if any(_below(host, name) for host in portals):
        return "the portal itself is always reachable, and nothing else of its name should be"
    return ""


def owner(host: str) -> str:
    """The domain somebody has registered, as far as the probes' hosts go.

    >>> owner("connectivity.samsung.com.cn"), owner("www.google.com")
    ('samsung.com.cn', 'google.com')
    """
    labels = host.split(".")
    return ".".join(labels[-3:] if ".".join(labels[-2:]) in PUBLIC else labels[-2:])


def _below(name: str, domain: str) -> bool:
    return name == domain or name.endswith(f".{domain}")


def dnsmasq_lines(town: Town, site: Site) -> list[str]:
    """What dnsmasq must do so that addresses of the garden's names enter the sets before the answer leaves."""
    if not town.garden:
        return []
    families = [6, 4] if site.guest.ipv6 else [4]
    sets = ",".join(f"{family}#inet#{TABLE}#garden{family}" for family in families)
    return [
        f"nftset=/{'/'.join(town.garden)}/{sets}",
        f"max-cache-ttl={LONGEST_SECONDS}",
        f"max-ttl={LONGEST_SECONDS}",
    ]
