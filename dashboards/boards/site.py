"""One site: what residents have there, what carries it, and what is beside its usual."""

from collections.abc import Mapping

from dashboards.every import (
    CARRIED,
    CROWD,
    CUT,
    DEVICE_KEY,
    REACHED,
    SITE,
    SITE_KEY,
    STATES,
    UPLINK_PORT,
    VERDICT_WORDS,
    data_age,
    faults,
    firing,
    most,
    purpose,
    states,
    verdicts,
)
from dashboards.panel import Board, Column, Panel, Saying
from dashboards.query import Query, Select
from dashboards.words import Words
from parvis.catalogue import Levels

OF_POINT = 'label_replace({}, "subject", "$1", "device", "(.*)")'
SWITCH_ON: Mapping[float, Saying] = {
    1: Saying(Words("✓ ouvert", "✓ open"), "green"),
    0: Saying(Words("– fermé : peu de monde est normal", "– closed: few people are normal"), "grey"),
}

BOARD = Board(
    uid="wifi-site",
    title=Words("Site", "Site"),
    purpose=Words("Que vivent les habitants sur ce site ?", "What do residents get at this site?"),
    level=1,
    variables=(SITE,),
    rows=(
        (
            purpose(
                1,
                "**Que vivent les habitants sur ce site, et qu'est-ce qui le porte ?**",
                "**What do residents get at this site, and what carries it?**",
            ),
        ),
        (
            Panel(
                id=2,
                kind="stat",
                title=Words("Verdict", "Verdict"),
                answers=Words(
                    "La supervision en une phrase. Tout ce qui n'est pas ✓ a un mode d'emploi : docs/06-runbooks.md.",
                    "The monitor in one sentence. Whatever is not ✓ has a runbook: docs/06-runbooks.md.",
                ),
                of="site_verdict",
                says=VERDICT_WORDS,
                queries=(Query(most(verdicts()), "{{site}}"),),
                width=12,
                moved_by=REACHED,
            ),
            Panel(
                id=3,
                kind="stat",
                title=Words("Ouvert au public", "Open to the public"),
                answers=Words(
                    "Selon les horaires de l'inventaire. Fermé : un faible usage est normal, une panne moins urgente.",
                    "By the inventory's hours. Closed: low use is normal, an outage less urgent.",
                ),
                of="site_open",
                says=SWITCH_ON,
                queries=(Query(most('max by (site) (site_open{site=~"$site"})'), "{{site}}"),),
                width=8,
            ),
            data_age(4),
        ),
        (
            Panel(
                id=5,
                kind="states",
                title=Words("Lien fibre", "Fibre uplink"),
                answers=Words(
                    "L'état du lien. En panne : appeler l'opérateur du contrat, voir Lien.",
                    "The uplink's state. Out of service: call the contract's operator, see Uplink.",
                ),
                of="reachability_state",
                says=STATES,
                queries=(Query(most(states("uplink")), "{{subject}}"),),
                link="wifi-lien",
                height=5,
                moved_by=CUT,
            ),
            Panel(
                id=6,
                kind="states",
                title=Words("Passerelle et commutateurs", "Gateway and switches"),
                answers=Words(
                    "L'état de ce qui porte les bornes. Injoignable : c'est le lien qu'il faut réparer.",
                    "The state of what carries the access points. Unreachable: it is the uplink that needs repair.",
                ),
                of="reachability_state",
                says=STATES,
                queries=(
                    Query(most(states("gateway"), 6), "{{subject}}"),
                    Query(most(states("switch"), 6), "{{subject}}"),
                ),
                height=5,
                moved_by=faults("fibre-cut", "switch-silent"),
            ),
        ),
        (
            Panel(
                id=7,
                kind="lines",
                title=Words("Débit entrant et débit souscrit", "Incoming throughput and what is paid for"),
                answers=Words(
                    "Ce qui entre par le lien, et ce que le contrat promet. Plat sous la limite : le lien est saturé.",
                    "What comes in by the uplink, and what the contract promises. Flat below it: saturated.",
                ),
                of="uplink_capacity_bits_per_second",
                queries=(
                    Query(
                        most(
                            "sum by (site) (8 * rate(port_receive_bytes_total"
                            f'{{site=~"$site"}}[$__rate_interval]) {UPLINK_PORT})',
                            6,
                        ),
                        "{{site}}",
                    ),
                    Query(
                        most('sum by (site) (uplink_capacity_bits_per_second{site=~"$site"})', 6),
                        Words("souscrit {{site}}", "paid for {{site}}"),
                    ),
                ),
                link="wifi-lien",
                moved_by=CARRIED,
            ),
            Panel(
                id=8,
                kind="lines",
                title=Words("Aller-retour du lien", "The uplink's round trip"),
                answers=Words(
                    "Temps de réponse du bout du lien. Trois fois l'habitude : le lien est dégradé.",
                    "Response time of the uplink's end. Three times the usual: the uplink is degraded.",
                ),
                of="icmp_rtt_seconds",
                queries=(
                    Query(most('max by (target) (icmp_rtt_seconds{kind="uplink", site=~"$site"})'), "{{target}}"),
                ),
                link="wifi-lien",
                moved_by=CUT,
            ),
            Panel(
                id=9,
                kind="lines",
                title=Words("Pertes du lien", "The uplink's loss"),
                answers=Words(
                    "Part des échos perdus. Au-delà de 5 % les appels se coupent : ticket à l'opérateur.",
                    "Part of the echoes lost. Beyond 5% calls break: a ticket to the operator.",
                ),
                of="icmp_loss_ratio",
                queries=(Query(most('max by (target) (icmp_loss_ratio{kind="uplink", site=~"$site"})'), "{{target}}"),),
                link="wifi-lien",
                moved_by=CUT,
            ),
        ),
        (
            Panel(
                id=10,
                kind="table",
                title=Words("Bornes", "Access points"),
                answers=Words(
                    "Une borne par ligne : état, clients, canal le plus occupé, en marche depuis. Cliquer : Borne.",
                    "One access point a row: state, clients, busiest channel, up for. Click: Access point.",
                ),
                keys={"site": SITE_KEY, "subject": DEVICE_KEY},
                columns=(
                    Column(title=Words("État", "State"), of="reachability_state", says=STATES),
                    Column(title=Words("Clients", "Clients"), of="wifi_radio_clients"),
                    Column(title=Words("Air occupé", "Busy air"), of="wifi_radio_channel_utilization_ratio"),
                    Column(title=Words("En marche depuis", "Up for"), of="device_uptime_seconds"),
                ),
                queries=(
                    Query(states("access-point")),
                    Query("sum by (site, subject) (" + OF_POINT.format('wifi_radio_clients{site=~"$site"}') + ")"),
                    Query(
                        "max by (site, subject) ("
                        + OF_POINT.format('wifi_radio_channel_utilization_ratio{site=~"$site", part="total"}')
                        + ")"
                    ),
                    Query(
                        "max by (site, subject) ("
                        + OF_POINT.format('device_uptime_seconds{site=~"$site"}')
                        + ' and on (site, subject) reachability_state{kind="access-point"})'
                    ),
                ),
                link="wifi-borne",
                width=16,
                height=9,
                moved_by=CROWD | faults("ap-reboots"),
            ),
            Panel(
                id=11,
                kind="stack",
                title=Words("Clients par bande", "Clients by band"),
                answers=Words(
                    "Terminaux par bande. La part de 2,4 GHz qui monte : la 5 GHz d'une borne est peut-être éteinte.",
                    "Devices by band. A rising part of 2.4 GHz: an access point's 5 GHz may be off.",
                ),
                of="wifi_radio_clients",
                queries=(Query(Select("wifi_radio_clients", by=("band",)), "{{band}}"),),
                link="wifi-borne",
                width=8,
                height=9,
                moved_by=CROWD,
            ),
        ),
        (
            Panel(
                id=12,
                kind="gauges",
                title=Words("Budget PoE", "PoE budget"),
                answers=Words(
                    "Part de la puissance que le commutateur peut fournir. Au-delà de 90 % la prochaine borne reste"
                    " éteinte.",
                    "Part of the power the switch can feed. Beyond 90% the next access point stays off.",
                ),
                unit="ratio",
                levels=Levels(warn="> 0.9"),
                queries=(
                    Query(
                        most(
                            'max by (device) (poe_consumption_watts{site=~"$site"} / poe_budget_watts{site=~"$site"})'
                        ),
                        "{{device}}",
                    ),
                ),
                silence=Words("le commutateur ne le dit pas", "the switch does not tell"),
                decimals=0,
                moved_by=CARRIED,
            ),
            Panel(
                id=13,
                kind="table",
                title=Words("Qui est branché où", "What is plugged in where"),
                answers=Words(
                    "Les voisins que LLDP annonce. Une borne absente : mauvais câble, ou mauvais port.",
                    "The neighbours LLDP tells. An access point that is missing: wrong cable, or wrong port.",
                ),
                keys={
                    "device": DEVICE_KEY,
                    "port": Words("Port", "Port"),
                    "remote_name": Words("Voisin", "Neighbour"),
                    "remote_port_description": Words("Son port", "Its port"),
                },
                columns=(Column(title=Words("Vu", "Seen"), of="lldp_neighbor_info"),),
                queries=(
                    Query(
                        most(
                            "max by (device, port, remote_name, remote_port_description)"
                            ' (lldp_neighbor_info{site=~"$site"})',
                            30,
                        )
                    ),
                ),
                silence=Words("aucun voisin annoncé", "no neighbour announced"),
                moved_by=CARRIED,
            ),
            Panel(
                id=15,
                kind="stat",
                title=Words("Onduleur", "UPS"),
                answers=Words(
                    "Ce qui reste à la batterie du site. Sur batterie : coupure de courant, prévenir l'électricien.",
                    "What the site's battery still has. On battery: the mains is gone, tell the electrician.",
                ),
                unit="seconds",
                levels=Levels(warn="< 1200", page="< 600"),
                queries=(Query(most('min by (device) (ups_runtime_seconds{site=~"$site"})'), "{{device}}"),),
                silence=Words("pas d'onduleur ici", "no UPS here"),
                decimals=0,
                height=8,
            ),
            firing(14, Words("sur ce site", "at this site"), 'site=~"$site"', link="wifi-astreinte"),
        ),
    ),
)
