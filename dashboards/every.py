"""What several boards share: the reader's choices, states in words, the age of the data, a board's purpose."""

from collections.abc import Mapping

from dashboards.panel import Fault, Panel, Saying, Variable
from dashboards.query import Query, most
from dashboards.words import Words

DOCUMENT = "docs/17-dashboards.md"

SITE = Variable(
    name="site",
    title=Words("Site", "Site"),
    metric="reachability_state",
    label="site",
    matches='kind="uplink"',
    influx=("snmp_up", "site"),
)
LINK = Variable(
    name="lien",
    title=Words("Lien", "Uplink"),
    metric="reachability_state",
    label="subject",
    matches='kind="uplink", site=~"$site"',
)
POINT = Variable(
    name="borne",
    title=Words("Borne", "Access point"),
    metric="reachability_state",
    label="subject",
    matches='kind="access-point", site=~"$site"',
    influx=("wifi_ap_clients", "device"),
    open=False,
)
BAND = Variable(
    name="bande",
    title=Words("Bande", "Band"),
    metric="wifi_radio_clients",
    label="band",
    matches='site=~"$site", device=~"$borne"',
    influx=("wifi_radio_clients", "band"),
)
SITE_OF_DEVICES = Variable(
    name="site", title=Words("Site", "Site"), metric="snmp_up", label="site", influx=("snmp_up", "site")
)

SITE_KEY, DEVICE_KEY = Words("Site", "Site"), Words("Équipement", "Device")

UPLINK_PORT = 'and on (site, device, port) uplink_capacity_bits_per_second{site=~"$site"}'
"""Keeps, of the ports' figures, those of the port that holds a site's uplink."""

TRUTH: Mapping[float, Saying] = {
    1: Saying(Words("✓ En service", "✓ Works"), "green"),
    0: Saying(Words("✗ En panne", "✗ Down"), "red"),
}
STATES: Mapping[float, Saying] = {
    0: Saying(Words("✓ En service", "✓ In service"), "green"),
    1: Saying(Words("△ Perturbé", "△ Disturbed"), "orange"),
    2: Saying(Words("? Inconnu", "? Unknown"), "grey"),
    3: Saying(Words("↥ Injoignable", "↥ Unreachable"), "yellow"),
    4: Saying(Words("✗ En panne", "✗ Out of service"), "red"),
}
"""The monitor's states as numbers, for panels that draw numbers."""
_STATE_NAMES = ("up", "degraded", "unknown", "unreachable", "down")

VERDICTS: Mapping[str, Saying] = {
    "all-well": Saying(Words("✓ Tout répond", "✓ Everything answers"), "green"),
    "some-unknown": Saying(Words("? Une borne pas encore mesurée", "? An access point not measured yet"), "blue"),
    "device-disturbed": Saying(Words("△ Un équipement répond mal", "△ A device answers badly"), "orange"),
    "uplink-disturbed": Saying(Words("△ Le lien perd des paquets", "△ The uplink loses packets"), "orange"),
    "device-silent": Saying(Words("△ Un équipement muet", "△ A device is silent"), "orange"),
    "points-silent": Saying(Words("△ Des bornes muettes", "△ Some access points silent"), "orange"),
    "residents-barred": Saying(Words("△ Personne de nouveau n'entre", "△ Nobody new gets in"), "orange"),
    "cannot-know": Saying(Words("? On ne peut pas savoir", "? Nobody can know"), "grey"),
    "no-point-answers": Saying(Words("✗ Aucune borne ne répond", "✗ No access point answers"), "red"),
    "internet-cut": Saying(Words("✗ Lien bon, internet coupé", "✗ Uplink well, internet cut"), "red"),
    "uplink-cut": Saying(Words("✗ Lien fibre coupé", "✗ Fibre uplink cut"), "red"),
}
"""The monitor's verdicts on a site, the best first; their place is their number."""
VERDICT_WORDS: Mapping[float, Saying] = dict(enumerate(VERDICTS.values()))


def faults(*names: Fault) -> frozenset[Fault]:
    """The faults one sees in a panel."""
    return frozenset(names)


CUT = faults("fibre-cut", "centre-isolated")
"""What puts a site out of reach."""
REACHED = CUT | faults("ap-silent", "switch-silent")
"""What stops equipment from answering."""
POLLED = REACHED | faults("agent-silent", "collectors-dead")
"""What stops an access point's figures."""
CROWD = POLLED | faults("radio-dead", "ap-deserted")
"""What one sees in the number of clients."""
CARRIED = CUT | faults("switch-silent", "collectors-dead")
"""What stops a switch's figures."""
LIT = CARRIED | faults("dirty-optic", "no-light")
"""What one sees in the light."""
DISTURBED = faults("link-loses", "link-flaps")
"""What one sees in the echoes of a link that is not cut."""
BARRED = faults(
    "visitor-refused", "dns-dead", "store-broken", "internet-cut", "portal-dead", "gatewayd-dead", "rules-flushed",
    "pool-full",
)  # fmt: skip
"""What keeps residents off the internet although equipment answers."""
JUDGED = REACHED | DISTURBED | BARRED | faults("agent-silent", "gateway-silent")
"""What one sees in the verdict on a site."""
DOOR = CUT | faults("portal-dead")
"""What stops a portal's figures."""
ONWARD = DOOR | faults("internet-cut")
"""What one sees of the internet from a site's gateway."""
WAY_IN = DOOR | faults("store-broken", "gatewayd-dead")
"""What one sees in how many get in."""
VISIT = faults("visitor-refused", "dns-dead", "store-broken", "internet-cut")
"""What stops the resident that is a program."""
ALARM = faults(
    *(*VISIT, *DISTURBED, "fibre-cut", "ap-silent", "switch-silent", "gateway-silent", "mains-cut", "rogue-dhcp"),
    *("portal-dead", "gatewayd-dead", "rules-flushed", "pool-full", "certificate-ending"),
    *("collectors-dead", "centre-isolated"),
)
"""What an alert tells."""
INCIDENT = ALARM | faults("beat-lost")
"""What the on-call engine opens an incident for: it hears by itself that Prometheus beats no more."""


def states(kind: str, more: str = 'site=~"$site"') -> str:
    """The state of everything of *kind*, one number each: the keys of ``STATES``."""
    return _numbered("reachability_state", "state", _STATE_NAMES, "site, subject", f'kind="{kind}", {more}')


def onward(more: str = "") -> str:
    """What answers beyond each site's uplink, as keys of ``STATES``: all of it, some of it, nothing."""
    seen = f'uplink_target_up{{site=~"$site"}}{more}'
    return f"4 - 3 * max by (site) ({seen}) - min by (site) ({seen})"


def verdicts() -> str:
    """The verdict on each site, one number each: the keys of ``VERDICT_WORDS``."""
    return _numbered("site_verdict", "verdict", tuple(VERDICTS), "site", 'site=~"$site"')


def _numbered(metric: str, label: str, values: tuple[str, ...], by: str, where: str) -> str:
    parts = (f'{metric}{{{where}, {label}="{value}"}} * {number}' for number, value in enumerate(values))
    return f"sum by ({by}) ({' or '.join(parts)})"


def purpose(identity: int, french: str, english: str) -> Panel:
    """The text at the top: what this is for, where the figures come from, where more is written."""
    return Panel(
        id=identity,
        kind="text",
        title=Words("", ""),
        answers=Words(
            f"{french} Source : Prometheus et les alertes de Parvis. Mode d'emploi : `{DOCUMENT}`.",
            f"{english} Source: Prometheus and Parvis's alerts. How to read it: `{DOCUMENT}`.",
        ),
    )


def loss(identity: int, more: str, *, link: str = "") -> Panel:
    """How many echoes get lost on the way to each uplink; *more* matchers choose which."""
    return Panel(
        id=identity,
        kind="lines",
        title=Words("Pertes du lien", "The uplink's loss"),
        answers=Words(
            "Part des échos perdus. Au-delà de 5 % les appels se coupent ; si cela dure : ticket à l'opérateur.",
            "Part of the echoes lost. Beyond 5% calls break; if it lasts: a ticket to the operator.",
        ),
        of="icmp_loss_ratio",
        queries=(
            Query(
                most(f'max by (target) (icmp_loss_ratio{{kind="uplink", site=~"$site"{more}}})'),
                "{{target}}",
            ),
        ),
        link=link,
        moved_by=CUT | DISTURBED,
    )


def round_trip(identity: int, *, link: str) -> Panel:
    """How long each uplink's end takes to answer."""
    return Panel(
        id=identity,
        kind="lines",
        title=Words("Aller-retour du lien", "The uplink's round trip"),
        answers=Words(
            "Temps de réponse du bout du lien. Trois fois l'habitude : le lien est dégradé.",
            "Response time of the uplink's end. Three times the usual: the uplink is degraded.",
        ),
        of="icmp_rtt_seconds",
        queries=(Query(most('max by (target) (icmp_rtt_seconds{kind="uplink", site=~"$site"})'), "{{target}}"),),
        link=link,
        moved_by=CUT | DISTURBED,
    )


def data_age(identity: int) -> Panel:
    """How old the figures are: a dashboard that stands still must not look well."""
    return Panel(
        id=identity,
        kind="stat",
        title=Words("Âge des données", "Age of the data"),
        answers=Words(
            "Depuis quand les équipements et les sondes n'ont plus rien dit. Au-delà de 5 minutes, ne pas croire le"
            " reste de la page : voir Collecte.",
            "How long devices and probes have said nothing. Beyond 5 minutes, do not believe the rest of the page: see"
            " Collectors.",
        ),
        of="snmp_data_age_seconds",
        queries=(
            Query("max(snmp_data_age_seconds)", Words("Équipements", "Devices")),
            Query('time() - max(timestamp(up{job="monitor"} == 1))', Words("Sondes", "Probes")),
        ),
        silence=Words("✗ plus rien", "✗ nothing"),
        link="wifi-collecte",
        moved_by=faults("collectors-dead", "centre-isolated"),
    )
