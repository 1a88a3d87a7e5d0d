"""A fibre uplink: is there light enough, does it lose or slow down, is the contract kept."""

from dashboards.every import (
    CARRIED,
    CUT,
    DISTURBED,
    LINK,
    LIT,
    ONWARD,
    SITE,
    STATES,
    data_age,
    faults,
    loss,
    onward,
    purpose,
    states,
)
from dashboards.panel import Board, Column, Panel
from dashboards.query import Query, Select, most
from dashboards.words import Words
from parvis.catalogue import Levels

ECHO = 'kind="uplink", site=~"$site", target=~"$lien"'
CARRIES = 'and on (site, device, port) uplink_capacity_bits_per_second{site=~"$site", uplink=~"$lien"}'
HELD = ' and on (site) uplink_contract_info{site=~"$site", uplink=~"$lien"}'
"""Keeps, of what sites have, that of the sites whose uplinks are chosen."""
PORT = "{{device}} {{port}}"


def carried(counter: str) -> str:
    """Bits per second of *counter* on the uplinks' ports."""
    return most(f'sum by (device, port) (8 * rate({counter}{{site=~"$site"}}[$__rate_interval]) {CARRIES})', 6)


def broken(counter: str) -> str:
    """Frames a second that *counter* counts on the uplinks' ports."""
    return most(f"sum by (device, port) (rate({counter}[$__rate_interval]) {CARRIES})", 6)


def light(metric: str) -> Select:
    """One of the light's figures for each port."""
    return Select(metric, by=("device", "port"), how="min", top=11)


BOARD = Board(
    uid="wifi-lien",
    title=Words("Lien fibre", "Fibre uplink"),
    purpose=Words("Le lien tient-il, et tiendra-t-il ?", "Does the uplink hold, and will it?"),
    level=2,
    below="wifi-collecte",
    variables=(SITE, LINK),
    rows=(
        (
            purpose(
                1,
                "**Le lien tient-il, et tiendra-t-il ?** En haut ce qu'il transporte, en bas la lumière qui le porte.",
                "**Does the uplink hold, and will it?** Above what it carries, below the light that carries it.",
            ),
        ),
        (
            Panel(
                id=2,
                kind="states",
                title=Words("État", "State"),
                answers=Words(
                    "Coupures et perturbations du lien, et de l'internet au-delà. En panne : appeler l'opérateur,"
                    " contrat ci-contre.",
                    "Cuts and disturbances of the uplink, and of the internet beyond. Out of service: call the"
                    " operator, contract beside.",
                ),
                of="reachability_state",
                says=STATES,
                queries=(
                    Query(most(states("uplink", 'site=~"$site", subject=~"$lien"'), 6), "{{subject}}"),
                    Query(most(onward(HELD), 6), "{{site}} → internet"),
                ),
                width=11,
                height=6,
                moved_by=CUT | DISTURBED | ONWARD,
            ),
            Panel(
                id=3,
                kind="table",
                title=Words("Contrat", "Contract"),
                answers=Words(
                    "À qui téléphoner, et sous quel contrat : ces deux mots d'abord.",
                    "Whom to call, and under which contract: say these two words first.",
                ),
                keys={
                    "uplink": LINK.title,
                    "operator": Words("Opérateur", "Operator"),
                    "contract": Words("Contrat", "Contract"),
                },
                columns=(Column(title=Words("Débit", "Rate"), of="uplink_capacity_bits_per_second"),),
                queries=(
                    Query(
                        'max by (uplink, operator, contract) (uplink_contract_info{site=~"$site", uplink=~"$lien"}'
                        " * on (uplink) group_left () max by (uplink) (uplink_capacity_bits_per_second))"
                    ),
                ),
                first="highest",
                width=9,
                height=6,
            ),
            data_age(4),
        ),
        (
            Panel(
                id=5,
                kind="lines",
                title=Words("Aller-retour, et sa dispersion", "Round trip, and how it spreads"),
                answers=Words(
                    "Médiane, et entre quelles valeurs sont neuf mesures sur dix depuis une heure. Un écart qui s'ouvre"
                    " : lien chargé ; tout qui monte : autre chemin, appeler l'opérateur.",
                    "The median, and between what nine of ten measurements of the last hour lie. It opens: a loaded"
                    " link; all of it rises: another path, call the operator.",
                ),
                of="icmp_rtt_seconds",
                queries=(
                    Query(f"quantile(0.5, icmp_rtt_seconds{{{ECHO}}})", Words("médiane", "median")),
                    Query(f"min(quantile_over_time(0.05, icmp_rtt_seconds{{{ECHO}}}[1h]))", Words("5 %", "5%")),
                    Query(f"max(quantile_over_time(0.95, icmp_rtt_seconds{{{ECHO}}}[1h]))", Words("95 %", "95%")),
                ),
                moved_by=CUT | DISTURBED,
            ),
            loss(6, ', target=~"$lien"'),
            Panel(
                id=7,
                kind="lines",
                title=Words("Gigue", "Jitter"),
                answers=Words(
                    "Ce qui sépare un aller-retour du suivant. Au-delà de 30 ms, la voix se hache.",
                    "What separates one round trip from the next. Beyond 30 ms, voice breaks up.",
                ),
                of="icmp_jitter_seconds",
                queries=(Query(most(f"max by (target) (icmp_jitter_seconds{{{ECHO}}})"), "{{target}}"),),
                moved_by=CUT | DISTURBED,
            ),
        ),
        (
            Panel(
                id=8,
                kind="lines",
                title=Words("Débit, et le contrat", "Throughput, and the contract"),
                answers=Words(
                    "Entrant, sortant, et ce qui est payé. Plat sous la limite pendant des heures : lien saturé.",
                    "In, out, and what is paid for. Flat below the limit for hours: saturated.",
                ),
                of="uplink_capacity_bits_per_second",
                queries=(
                    Query(carried("port_receive_bytes_total"), Words("entrant {{device}}", "in {{device}}")),
                    Query(carried("port_transmit_bytes_total"), Words("sortant {{device}}", "out {{device}}")),
                ),
                moved_by=CARRIED,
            ),
            Panel(
                id=9,
                kind="lines",
                title=Words("Trames abîmées", "Broken frames"),
                answers=Words(
                    "Par seconde, et celles dont la somme de contrôle est fausse (FCS). Plus de zéro : connecteur sale"
                    " ou module fatigué.",
                    "A second, and those with a wrong checksum (FCS). Above zero: a dirty connector or a tired module.",
                ),
                unit="1 per second",
                levels=Levels(warn="> 0.1"),
                queries=(
                    Query(broken('port_receive_errors_total{site=~"$site"}'), PORT),
                    Query(broken('port_frame_errors_total{site=~"$site", kind="checksum"}'), f"FCS {PORT}"),
                ),
                moved_by=CARRIED,
            ),
            Panel(
                id=10,
                kind="gauges",
                title=Words("95 % du temps sous ce débit", "Below this rate 95% of the time"),
                answers=Words(
                    "Le débit entrant dépassé 5 % du temps depuis un jour, en part du contrat. Au-delà de 80 % :"
                    " négocier.",
                    "The incoming rate exceeded 5% of the time since a day, as part of the contract. Beyond 80%:"
                    " renegotiate.",
                ),
                unit="ratio",
                levels=Levels(warn="> 0.8"),
                queries=(
                    Query(
                        most(
                            "max by (uplink) (quantile_over_time(0.95,"
                            ' (8 * rate(port_receive_bytes_total{site=~"$site"}[5m]))[1d:5m])'
                            " / on (site, device, port) group_left (uplink)"
                            ' uplink_capacity_bits_per_second{site=~"$site", uplink=~"$lien"})'
                        ),
                        "{{uplink}}",
                    ),
                ),
                decimals=1,
                moved_by=CARRIED,
            ),
        ),
        (
            Panel(
                id=11,
                kind="lines",
                title=Words("Lumière reçue et limite", "Light received and its limit"),
                answers=Words(
                    "Puissance reçue par module, et la limite basse du module le plus exigeant. Qui s'en approche :"
                    " nettoyer le connecteur, puis faire mesurer la fibre.",
                    "Power each module receives, and the low limit of the most demanding one. Near it: clean the"
                    " connector, then have the fibre measured.",
                ),
                of="optical_rx_power_dbm",
                queries=(
                    Query(light("optical_rx_power_dbm"), PORT),
                    Query(
                        Select("optical_threshold_dbm", how="max", where={"which": "rx_low_warn"}),
                        Words("limite", "limit"),
                    ),
                ),
                silence=Words("aucun module ne mesure", "no module measures"),
                moved_by=LIT,
            ),
            Panel(
                id=12,
                kind="gauges",
                title=Words("Marge optique", "Optical margin"),
                answers=Words(
                    "Ce qui reste avant la limite basse du module. Sous zéro : nettoyer le connecteur d'abord.",
                    "What is left before the module's low limit. Below zero: clean the connector first.",
                ),
                of="optical_margin_db",
                queries=(
                    Query(
                        Select(
                            "optical_margin_db",
                            by=("device", "port"),
                            how="min",
                            where={"which": "rx_low_warn"},
                            top=12,
                        ),
                        PORT,
                    ),
                ),
                silence=Words("aucun module ne mesure", "no module measures"),
                decimals=1,
                moved_by=LIT,
            ),
            Panel(
                id=13,
                kind="lines",
                title=Words("Dérive depuis la recette", "Drift since it was taken over"),
                answers=Words(
                    "Lumière perdue depuis la mesure de référence. Sous -3 dB : fibre pliée ou connecteur sale.",
                    "Light lost since the reference. Below -3 dB: a bent fibre or a dirty connector.",
                ),
                of="optical_drift_db",
                queries=(
                    Query(
                        Select("optical_drift_db", by=("device", "port"), how="min", where={"direction": "rx"}, top=12),
                        PORT,
                    ),
                ),
                silence=Words("aucune référence prise", "no reference was taken"),
                moved_by=LIT,
            ),
        ),
        (
            Panel(
                id=14,
                kind="lines",
                title=Words("Perte de la fibre, des deux bouts", "Loss of the fibre, from both ends"),
                answers=Words(
                    "Émis là-bas moins reçu ici. Les deux sens montent : la fibre ; un seul : ce module.",
                    "Sent there less received here. Both ways rise: the fibre; one only: that module.",
                ),
                of="optical_span_loss_db",
                queries=(
                    Query(
                        Select(
                            "optical_span_loss_db",
                            by=("uplink", "direction"),
                            how="max",
                            variables=("site", "lien"),
                            top=12,
                        ),
                        "{{uplink}} {{direction}}",
                    ),
                ),
                silence=Words("l'autre bout n'est pas à la ville", "the other end is not the town's"),
                moved_by=LIT - faults("centre-isolated"),
            ),
            Panel(
                id=15,
                kind="table",
                title=Words("Pente et prévision", "Slope and forecast"),
                answers=Words(
                    "De combien la lumière baisse par mois, et dans combien de temps la limite sera atteinte. Moins de"
                    " trente jours : faire mesurer la fibre.",
                    "How much light falls a month, and when it will reach the limit. Under thirty days: have the fibre"
                    " measured.",
                ),
                keys={"device": Words("Équipement", "Device"), "port": Words("Port", "Port")},
                columns=(
                    Column(title=Words("Pente", "Slope"), of="optical_trend_db_per_month"),
                    Column(title=Words("Limite dans", "Limit in"), of="optical_low_warning_remaining_seconds"),
                ),
                queries=(
                    Query(
                        Select(
                            "optical_trend_db_per_month", by=("device", "port"), how="min", where={"direction": "rx"}
                        )
                    ),
                    Query(Select("optical_low_warning_remaining_seconds", by=("device", "port"), how="min")),
                ),
                first="lowest",
                silence=Words("moins de dix jours de mesures, ou rien ne baisse", "under ten days, or nothing falls"),
                moved_by=faults("collectors-dead"),
            ),
            Panel(
                id=16,
                kind="table",
                title=Words("Modules", "Modules"),
                answers=Words(
                    "Température, courant du laser, tension, lumière des deux sens. Un courant qui monte seul : laser"
                    " en fin de vie.",
                    "Temperature, laser current, voltage, light both ways. Current that rises alone: a laser near its"
                    " end.",
                ),
                keys={"device": Words("Équipement", "Device"), "port": Words("Port", "Port")},
                columns=(
                    Column(title=Words("Température", "Temperature"), of="optical_temperature_celsius"),
                    Column(title=Words("Courant", "Current"), of="optical_bias_amperes"),
                    Column(title=Words("Tension", "Voltage"), of="optical_voltage_volts"),
                    Column(title=Words("Émise", "Sent"), of="optical_tx_power_dbm"),
                    Column(title=Words("Reçue", "Received"), of="optical_rx_power_dbm"),
                ),
                queries=(
                    Query(Select("optical_temperature_celsius", by=("device", "port"), how="max")),
                    Query(Select("optical_bias_amperes", by=("device", "port"), how="max")),
                    Query(Select("optical_voltage_volts", by=("device", "port"), how="max")),
                    Query(Select("optical_tx_power_dbm", by=("device", "port"), how="min")),
                    Query(Select("optical_rx_power_dbm", by=("device", "port"), how="min")),
                ),
                first="highest",
                silence=Words("aucun module ne mesure", "no module measures"),
                moved_by=LIT,
            ),
        ),
    ),
)
