"""One site: what residents have there, what carries it, and what is beside its usual."""

from collections.abc import Mapping

from dashboards.every import (
    ALARM,
    CARRIED,
    CROWD,
    CUT,
    DEVICE_KEY,
    DISTURBED,
    JUDGED,
    ONWARD,
    SITE,
    SITE_KEY,
    STATES,
    UPLINK_PORT,
    VERDICT_WORDS,
    data_age,
    faults,
    loss,
    onward,
    purpose,
    round_trip,
    states,
    verdicts,
)
from dashboards.panel import Board, Column, Panel, Saying
from dashboards.query import Query, Select, least, most
from dashboards.spoken import DUTIES
from dashboards.words import Words
from parvis.catalogue import Levels

STATE = states("access-point")
FIRED = 'ALERTS{alertstate="firing", severity!="none", site=~"$site"}'
SWITCH_ON: Mapping[float, Saying] = {
    1: Saying(Words("✓ ouvert", "✓ open"), "green"),
    0: Saying(Words("– fermé : peu de monde est normal", "– closed: few people are normal"), "grey"),
}
WORKS: Mapping[float, Saying] = {
    1: Saying(Words("✓ marche", "✓ works"), "green"),
    0: Saying(Words("△ en panne", "△ failed"), "orange"),
}
TO_DO: Mapping[float, Saying] = {1: Saying(Words("△ à faire", "△ to do"), "orange")}


def of_point(metric: str, *, how: str, by: str = "site, subject", label: str = "device") -> str:
    """*metric* of each access point, under the name the monitor gives it."""
    return f'{how} by ({by}) (label_replace({metric}, "subject", "$1", "{label}", "(.*)"))'


UPTIME = 'device_uptime_seconds{site=~"$site"}'
FED = of_point(
    'port_device_info{site=~"$site"} * on (site, device, port) group_left () poe_port_power_watts',
    how="sum",
    label="behind",
)
"""What the switch feeds each access point, on the port where it has learned its address."""
NAMED = of_point('device_info{site=~"$site"}', how="max", by="site, subject, version")

BOARD = Board(
    uid="wifi-site",
    title=Words("Site", "Site"),
    purpose=Words("Que vivent les habitants sur ce site ?", "What do residents get at this site?"),
    level=1,
    below="wifi-borne",
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
                    "Le site en une phrase. Tout ce qui n'est pas ✓ a un mode d'emploi : `/runbooks` du moniteur.",
                    "The site in one sentence. Whatever is not ✓ has a runbook: `/runbooks` of the monitor.",
                ),
                of="site_verdict",
                says=VERDICT_WORDS,
                queries=(Query(most(verdicts()), "{{site}}"),),
                width=12,
                moved_by=JUDGED,
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
                    "L'état du lien, et de l'internet au-delà. En panne, l'un ou l'autre : appeler l'opérateur du"
                    " contrat, voir Lien.",
                    "The uplink's state, and that of the internet beyond. Either out of service: call the contract's"
                    " operator, see Uplink.",
                ),
                of="reachability_state",
                says=STATES,
                queries=(
                    Query(most(states("uplink"), 6), "{{subject}}"),
                    Query(most(onward(), 6), "{{site}} → internet"),
                ),
                link="wifi-lien",
                height=5,
                moved_by=CUT | DISTURBED | ONWARD,
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
                moved_by=CUT | faults("switch-silent", "gateway-silent"),
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
            round_trip(8, link="wifi-lien"),
            loss(9, "", link="wifi-lien"),
        ),
        (
            Panel(
                id=10,
                kind="table",
                title=Words("Bornes", "Access points"),
                answers=Words(
                    "Une borne par ligne, les pires d'abord ; seule avec son micrologiciel : la mettre à jour. Cliquer"
                    " : Borne.",
                    "One access point a row, the worst first; alone with its firmware: update it. Click: Access point.",
                ),
                keys={
                    "site": SITE_KEY,
                    "subject": DEVICE_KEY,
                    "version": Words("Micrologiciel", "Firmware"),
                },
                columns=(
                    Column(title=Words("État", "State"), of="reachability_state", says=STATES),
                    Column(title=Words("Clients", "Clients"), of="wifi_ap_clients"),
                    Column(title=Words("Canal 5 GHz", "5 GHz channel"), of="wifi_radio_channel"),
                    Column(title=Words("Air occupé", "Busy air"), of="wifi_radio_channel_utilization_ratio"),
                    Column(title=Words("PoE", "PoE"), of="poe_port_power_watts"),
                    Column(title=Words("En marche depuis", "Up for"), of="device_uptime_seconds"),
                ),
                queries=(
                    Query(f"{STATE} * on (site, subject) group_left (version) {NAMED} or on (site, subject) {STATE}"),
                    Query(of_point('wifi_ap_clients{site=~"$site"}', how="sum")),
                    Query(of_point('wifi_radio_channel{site=~"$site", band="5GHz"}', how="max")),
                    Query(of_point('wifi_radio_channel_utilization_ratio{site=~"$site", part="total"}', how="max")),
                    Query(FED),
                    Query(f"{of_point(UPTIME, how='max')} and on (site, subject) {STATE}"),
                ),
                first="highest",
                link="wifi-borne",
                width=17,
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
                width=7,
                height=9,
                moved_by=CROWD,
            ),
        ),
        (
            Panel(
                id=12,
                kind="table",
                title=Words("Commutateurs : pièces et budget PoE", "Switches: parts and PoE budget"),
                answers=Words(
                    "Un ventilateur en panne : dépoussiérer, puis le changer. Une alimentation sans courant : cordon,"
                    " prise, puis bloc. PoE au-delà de 90 % : la prochaine borne reste éteinte.",
                    "A fan that failed: clean, then change it. A supply that feeds nothing: cord, socket, then block."
                    " PoE beyond 90%: the next access point stays off.",
                ),
                keys={"device": DEVICE_KEY},
                columns=(
                    Column(title=Words("Ventilateurs", "Fans"), of="device_fan_up", says=WORKS),
                    Column(title=Words("Alimentations", "Supplies"), of="device_power_supply_up", says=WORKS),
                    Column(title=Words("PoE", "PoE"), unit="ratio", levels=Levels(warn="> 0.9"), decimals=0),
                ),
                queries=(
                    Query('min by (device) (device_fan_up{site=~"$site"})'),
                    Query('min by (device) (device_power_supply_up{site=~"$site"})'),
                    Query('max by (device) (poe_consumption_watts{site=~"$site"} / poe_budget_watts{site=~"$site"})'),
                ),
                first="lowest",
                silence=Words("le commutateur ne le dit pas", "the switch does not tell"),
                moved_by=CARRIED | faults("fan-dead", "supply-dead"),
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
                first="highest",
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
                queries=(Query(least('min by (device) (ups_runtime_seconds{site=~"$site"})'), "{{device}}"),),
                silence=Words("pas d'onduleur ici", "no UPS here"),
                decimals=0,
                height=8,
                moved_by=CARRIED | faults("mains-cut"),
            ),
        ),
        (
            Panel(
                id=14,
                kind="table",
                title=Words("Les dix derniers événements", "The last ten events"),
                answers=Words(
                    "Les alertes de la semaine, la dernière d'abord ; « en cours » : elle l'est encore. Le mode"
                    " d'emploi de chacune : `/runbooks` du moniteur.",
                    "The week's alerts, the last first; “firing”: it still is. Each has its runbook:"
                    " `/runbooks` of the monitor.",
                ),
                keys={"alertname": Words("Alerte", "Alert"), "severity": Words("Gravité", "Severity")},
                columns=(
                    Column(title=Words("Il y a", "Ago"), unit="seconds", decimals=0),
                    Column(title=Words("En cours", "Firing"), unit="1"),
                ),
                queries=(
                    Query(
                        f"bottomk(10, time() - max by (alertname, severity) (max_over_time(timestamp({FIRED})[7d:1m])))"
                    ),
                    Query(f"count by (alertname, severity) ({FIRED})"),
                ),
                first="lowest",
                silence=Words("✓ aucun", "✓ none"),
                link="wifi-astreinte",
                width=14,
                moved_by=ALARM,
            ),
            Panel(
                id=16,
                kind="table",
                title=Words("Ce que le site doit encore", "What the site still owes"),
                answers=Words(
                    "Le pictogramme à l'entrée et le conseil d'école (loi 2015-136), la place dans les données"
                    " ouvertes. Une ligne : le faire, puis l'écrire dans le fichier du site.",
                    "The sign at the entrance and the school council (loi 2015-136), the place in the open data. A row:"
                    " do it, then write it into the site's file.",
                ),
                keys={"site": SITE_KEY, "duty": Words("Devoir", "Duty")},
                names={"duty": DUTIES},
                columns=(Column(title=Words("Reste", "Left"), of="site_to_do", says=TO_DO),),
                queries=(Query('max by (site, duty) (site_to_do{site=~"$site"}) == 1'),),
                first="highest",
                silence=Words("✓ tout est fait", "✓ all is done"),
                width=10,
            ),
        ),
    ),
)
