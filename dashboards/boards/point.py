"""One access point and its radios: who is on it, how free the air is, what changed."""

from typing import Literal

from dashboards.every import (
    BAND,
    CARRIED,
    CROWD,
    DEVICE_KEY,
    POINT,
    POLLED,
    REACHED,
    SITE,
    SITE_KEY,
    STATES,
    TRUTH,
    data_age,
    faults,
    purpose,
    states,
)
from dashboards.panel import Board, Column, Panel
from dashboards.query import How, Query, Select, most
from dashboards.words import Words

CHOICES = ("site", "borne", "bande")
HERE = 'site=~"$site", device=~"$borne", band=~"$bande"'
LEFT_RADAR = (
    f'(wifi_radio_channel{{{HERE}, band="5GHz"}} offset 5m >= 52 <= 144) != wifi_radio_channel{{{HERE}, band="5GHz"}}'
)
"""Radios that were on a channel on which they must listen for radars (ETSI EN 301 893) and no longer are."""
FLEET = "count by (model, version) (device_info)"


def radio(metric: str, *by: str, how: How = "sum", times: float = 1) -> Query:
    """A metric of the radios the reader has chosen, a line for each of *by*."""
    select = Select(metric, by=by, how=how, times=times, variables=CHOICES, top=12 if by else 0)
    return Query(select, " ".join(f"{{{{{label}}}}}" for label in by))


def snr(stat: Literal["min", "avg", "max"], words: Words) -> Query:
    """One of the figures radios give of all their clients' signal to noise."""
    return Query(
        Select("wifi_client_snr_db", how=stat, where={"stat": stat}, variables=CHOICES),
        words,
    )


BOARD = Board(
    uid="wifi-borne",
    title=Words("Borne et radio", "Access point and radio"),
    purpose=Words("Cette borne sert-elle bien ceux qui l'entourent ?", "Does this access point serve those around it?"),
    level=2,
    below="wifi-collecte",
    variables=(SITE, POINT, BAND),
    rows=(
        (
            purpose(
                1,
                "**Cette borne sert-elle bien ceux qui l'entourent ?** Sinon : trop de monde, l'air, ou elle-même.",
                "**Does this access point serve those around it well?** If not: too many people, the air, or itself.",
            ),
        ),
        (
            Panel(
                id=2,
                kind="states",
                title=Words("État", "State"),
                answers=Words(
                    "Répond-elle, et depuis quand non. Injoignable : la cause est au-dessus d'elle.",
                    "Does it answer, and since when not. Unreachable: the cause is above it.",
                ),
                of="reachability_state",
                says=STATES,
                queries=(Query(most(states("access-point", 'site=~"$site", subject=~"$borne"')), "{{subject}}"),),
                since="7d",
                width=14,
                height=6,
                moved_by=REACHED | faults("agent-silent"),
            ),
            Panel(
                id=3,
                kind="stat",
                title=Words("Clients", "Clients"),
                answers=Words(
                    "Terminaux connectés aux radios choisies. Au-delà de 60 par radio, chacun attend.",
                    "Devices on the chosen radios. Beyond 60 on one radio everybody waits.",
                ),
                of="wifi_ssid_clients",
                queries=(radio("wifi_radio_clients"),),
                width=5,
                height=6,
                moved_by=CROWD,
            ),
            data_age(4),
        ),
        (
            Panel(
                id=5,
                kind="stack",
                title=Words("Clients par réseau et bande", "Clients by network and band"),
                answers=Words(
                    "Qui est sur quel réseau. Une bande à zéro quand l'autre est pleine : radio morte.",
                    "Who is on which network. One band at zero while the other is full: a dead radio.",
                ),
                of="wifi_ssid_clients",
                queries=(radio("wifi_ssid_clients", "ssid", "band"),),
                moved_by=CROWD,
            ),
            Panel(
                id=6,
                kind="lines",
                title=Words("À quoi sert l'air", "What the air is used for"),
                answers=Words(
                    "Part du temps où le canal est pris : par nos envois, nos réceptions, par d'autres. D'autres :"
                    " changer de canal.",
                    "Part of the time the channel is taken: by our sending, our receiving, others. Others: change the"
                    " channel.",
                ),
                of="wifi_radio_channel_utilization_ratio",
                queries=(radio("wifi_radio_channel_utilization_ratio", "part", "band", how="max"),),
                moved_by=POLLED,
            ),
            Panel(
                id=7,
                kind="lines",
                title=Words("Débit de la borne", "The access point's throughput"),
                answers=Words(
                    "Ce que ses ports envoient. Beaucoup de clients et peu de débit : l'air est mauvais.",
                    "What its ports send. Many clients and little throughput: bad air.",
                ),
                unit="bits per second",
                queries=(radio("port_transmit_bytes_total", "device", times=8),),
                moved_by=POLLED | faults("ap-reboots"),
            ),
        ),
        (
            Panel(
                id=8,
                kind="lines",
                title=Words("Trames renvoyées", "Frames sent again"),
                answers=Words(
                    "Plus elles montent, plus l'air est mauvais ou les clients loin. Durable : changer de canal, puis"
                    " ajouter une borne.",
                    "The higher, the worse the air or the farther the clients. Lasting: change the channel, then add an"
                    " access point.",
                ),
                unit="1 per second",
                queries=(
                    Query(f"sum by (band) (rate(wifi_radio_tx_retries_total{{{HERE}}}[$__rate_interval]))", "{{band}}"),
                ),
                silence=Words("la borne ne le dit pas", "the access point does not tell"),
                moved_by=POLLED | faults("ap-reboots"),
            ),
            Panel(
                id=9,
                kind="lines",
                title=Words("Bruit de fond", "Noise floor"),
                answers=Words(
                    "Le bruit sur le canal. Au-dessus de -80 dBm : chercher ce qui brouille.",
                    "The noise on the channel. Above -80 dBm: look for what disturbs.",
                ),
                of="wifi_radio_noise_floor_dbm",
                queries=(radio("wifi_radio_noise_floor_dbm", "band", how="max"),),
                silence=Words("la borne ne le dit pas", "the access point does not tell"),
                moved_by=faults("collectors-dead", "centre-isolated"),
            ),
            Panel(
                id=10,
                kind="bars",
                title=Words("Changements de canal", "Changes of channel"),
                answers=Words(
                    "Par heure et par radio, et combien ont quitté un canal partagé avec les radars (52 à 144). Qui en"
                    " part sans cesse y entend un radar : lui fixer un canal de 36 à 48.",
                    "An hour and radio, and how many left a channel shared with radars (52 to 144). One that keeps"
                    " leaving hears a radar there: fix a channel from 36 to 48.",
                ),
                unit="1",
                queries=(
                    Query(
                        f"topk(8, sum by (device, band) (changes(wifi_radio_channel{{{HERE}}}[1h])) > 0)",
                        "{{device}} {{band}}",
                    ),
                    Query(
                        f"topk(4, sum by (device) (count_over_time(({LEFT_RADAR})[1h:5m])) > 0)",
                        Words("{{device}} : quitte un canal à radar", "{{device}}: leaves a radar channel"),
                    ),
                ),
                silence=Words("✓ aucun", "✓ none"),
            ),
        ),
        (
            Panel(
                id=11,
                kind="table",
                title=Words("Radios", "Radios"),
                answers=Words(
                    "Une radio par ligne. Éteinte avec un canal affiché : c'est un reste, elle ne sert personne.",
                    "One radio a row. Off with a channel shown: a leftover, it serves nobody.",
                ),
                keys={"device": DEVICE_KEY, "band": Words("Bande", "Band")},
                columns=(
                    Column(title=Words("Radio", "Radio"), of="wifi_radio_up", says=TRUTH),
                    Column(title=Words("Clients", "Clients"), of="wifi_radio_clients"),
                    Column(title=Words("Canal", "Channel"), of="wifi_radio_channel"),
                    Column(title=Words("Puissance", "Power"), of="wifi_radio_tx_power_dbm"),
                ),
                queries=(
                    Query(f"min by (device, band) (wifi_radio_up{{{HERE}}})"),
                    Query(f"sum by (device, band) (wifi_radio_clients{{{HERE}}})"),
                    Query(f"max by (device, band) (wifi_radio_channel{{{HERE}}})"),
                    Query(f"max by (device, band) (wifi_radio_tx_power_dbm{{{HERE}}})"),
                ),
                first="lowest",
                width=12,
                moved_by=CROWD,
            ),
            Panel(
                id=12,
                kind="table",
                title=Words("Micrologiciel, face au parc", "Firmware, against the fleet"),
                answers=Words(
                    "Sa version, et combien d'équipements du même modèle l'ont. Seule de son espèce : à mettre à jour.",
                    "Its version, and how many devices of its model have it. Alone of its kind: to be updated.",
                ),
                keys={
                    "site": SITE_KEY,
                    "device": DEVICE_KEY,
                    "model": Words("Modèle", "Model"),
                    "version": Words("Version", "Version"),
                },
                columns=(Column(title=Words("Équipements pareils", "Devices alike"), unit="1"),),
                queries=(
                    Query(
                        'max by (site, device, model, version) (device_info{site=~"$site", device=~"$borne"})'
                        f" * on (model, version) group_left () {FLEET}"
                    ),
                ),
                first="lowest",
                width=12,
                moved_by=POLLED,
            ),
        ),
        (
            Panel(
                id=13,
                kind="lines",
                title=Words("Face aux autres bornes du site", "Against the site's other access points"),
                answers=Words(
                    "Clients de chaque borne du site. À zéro quand les autres sont pleines : la redémarrer.",
                    "Clients of each access point of the site. At zero while others are full: restart it.",
                ),
                of="wifi_ssid_clients",
                queries=(Query(Select("wifi_ap_clients", by=("device",), top=12), "{{device}}"),),
                moved_by=CROWD,
            ),
            Panel(
                id=14,
                kind="lines",
                title=Words("En marche depuis", "Up for"),
                answers=Words(
                    "Chaque chute à zéro est un redémarrage. Plusieurs en six heures : alimentation ou micrologiciel.",
                    "Each fall to zero is a restart. Several in six hours: power or firmware.",
                ),
                of="device_uptime_seconds",
                queries=(radio("device_uptime_seconds", "device", how="min"),),
                moved_by=POLLED | faults("ap-reboots"),
            ),
            Panel(
                id=15,
                kind="lines",
                title=Words("Température", "Temperature"),
                answers=Words(
                    "Dans les bornes. Au-delà de 70 °C : local trop chaud ou borne au soleil.",
                    "Inside the access points. Beyond 70 °C: a hot room or one in the sun.",
                ),
                of="device_temperature_celsius",
                queries=(radio("device_temperature_celsius", "device", how="max"),),
                silence=Words("la borne ne le dit pas", "the access point does not tell"),
                moved_by=CARRIED,
            ),
            Panel(
                id=16,
                kind="lines",
                title=Words("Signal sur bruit des clients", "Clients' signal to noise"),
                answers=Words(
                    "Le plus faible, la moyenne, le plus fort : jamais un client. Le plus faible sous 15 dB : quelqu'un"
                    " est trop loin, ajouter une borne.",
                    "The weakest, the mean, the strongest: never one client. The weakest below 15 dB: somebody is too"
                    " far, add an access point.",
                ),
                of="wifi_client_snr_db",
                queries=(
                    snr("min", Words("le plus faible", "weakest")),
                    snr("avg", Words("moyenne", "mean")),
                    snr("max", Words("le plus fort", "strongest")),
                ),
                silence=Words("la borne ne le dit pas", "the access point does not tell"),
                moved_by=CARRIED,
            ),
        ),
    ),
)
