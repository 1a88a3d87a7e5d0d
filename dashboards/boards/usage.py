"""What the service is used for, for those who vote its budget: counts of devices, never of persons, none below five."""

from collections.abc import Mapping

from dashboards.every import CARRIED, CROWD, DOOR, SITE, WAY_IN, data_age, purpose
from dashboards.panel import Board, Panel, Saying
from dashboards.query import Query, most
from dashboards.spoken import ENDS
from dashboards.words import Words
from parvis.catalogue import Levels, metric

FEWEST = 5
"""A count below says something about somebody: it is shown as "< 5"."""
FEW: Mapping[float, Saying] = {FEWEST - 1: Saying(Words("< 5", "< 5"), "grey")}
DAYS: Mapping[str, Words] = {
    "1": Words("lundi", "Monday"),
    "2": Words("mardi", "Tuesday"),
    "3": Words("mercredi", "Wednesday"),
    "4": Words("jeudi", "Thursday"),
    "5": Words("vendredi", "Friday"),
    "6": Words("samedi", "Saturday"),
    "7": Words("dimanche", "Sunday"),
}
DAILY = 'sum(increase(portal_funnel_total{{site=~"$site", step="admitted"}}[1d]{offset}))'
DAILY_BY_SITE = 'sum by (site) (increase(portal_funnel_total{site=~"$site", step="admitted"}[1d]))'
MEAN_LENGTH = (
    'sum(increase(portal_session_seconds_sum{site=~"$site"}[7d]))'
    f' / (sum(increase(portal_session_seconds_count{{site=~"$site"}}[7d])) >= {FEWEST})'
)
BYTES = (
    'sum by (site) (increase(port_receive_bytes_total{site=~"$site"}[1d])'
    ' and on (site, device, port) uplink_capacity_bits_per_second{site=~"$site"})'
)

LENGTHS = (
    ("", "900", Words("moins de 15 min", "under 15 min")),
    ("900", "3600", Words("15 min à 1 h", "15 min to 1 h")),
    ("3600", "14400", Words("1 à 4 h", "1 to 4 h")),
    ("14400", "Inf", Words("plus de 4 h", "over 4 h")),
)
"""Beyond what a session lasts, up to what, in words."""
SERVED = (metric("wifi_radio_clients").levels.warn or "").removeprefix("> ")
"""How many clients a radio serves well."""
PLACES = f'{SERVED} * count(wifi_radio_clients{{site=~"$site"}})'


def lasted(beyond: str, until: str) -> str:
    """The part of a week's sessions as long as that; none where fewer than ``FEWEST`` ended."""

    def up_to(bound: str) -> str:
        shape = r"\\+Inf" if bound == "Inf" else rf"{bound}(\\.0)?"
        return f'sum(increase(portal_session_seconds_bucket{{site=~"$site", le=~"{shape}"}}[7d]))'

    part = f"({up_to(until)} - {up_to(beyond)})" if beyond else up_to(until)
    return f"{part} / ({up_to('Inf')} >= {FEWEST})"


def masked(count: str) -> str:
    """*count* with what is below five shown as four, which ``FEW`` puts into words.

    >>> masked("sum(site_clients)")
    'clamp_min(floor(sum(site_clients)), 4)'
    """
    return f"clamp_min(floor({count}), {FEWEST - 1})"


BOARD = Board(
    uid="wifi-usage",
    title=Words("Usage", "Usage"),
    purpose=Words("À combien d'habitants le service sert-il ?", "How many residents does the service serve?"),
    level=1,
    below="wifi-borne",
    variables=(SITE,),
    since="now-14d",
    refresh="15m",
    rows=(
        (
            purpose(
                1,
                "**À combien d'habitants le service sert-il, où et quand ?** Des appareils, jamais des personnes ; un"
                " compte sous cinq s'affiche « < 5 ».",
                "**How many residents does the service serve, where and when?** Devices, never persons; a count below"
                " five is shown as “< 5”.",
            ),
        ),
        (
            Panel(
                id=2,
                kind="stat",
                title=Words("Appareils, depuis un jour", "Devices, since a day"),
                answers=Words(
                    "Appareils admis en 24 heures, chacun une fois par site. Bien moins que l'autre semaine : Portail.",
                    "Devices admitted in 24 hours, each once a site. Far fewer than a week ago: Portal.",
                ),
                of="portal_funnel_total",
                says=FEW,
                queries=(
                    Query(masked(DAILY.format(offset="")), Words("aujourd'hui", "today")),
                    Query(masked(DAILY.format(offset=" offset 1w")), Words("il y a une semaine", "a week ago")),
                ),
                decimals=0,
                width=9,
                link="wifi-portail",
                moved_by=WAY_IN,
            ),
            Panel(
                id=3,
                kind="stat",
                title=Words("Pointe et places, sur 7 jours", "Peak and places, over 7 days"),
                answers=Words(
                    "Le plus d'appareils à la fois, et combien les radios en servent bien (60 chacune). Proche : il"
                    " faut des bornes là où Borne les montre pleines.",
                    "Most devices at once, and how many the radios serve well (60 each). Near it: more access points"
                    " where Access point shows them full.",
                ),
                of="site_clients",
                says=FEW,
                queries=(
                    Query(masked('max_over_time(sum(site_clients{site=~"$site"})[7d:10m])'), Words("pointe", "peak")),
                    Query(PLACES, Words("places", "places")),
                ),
                decimals=0,
                width=6,
                moved_by=CROWD,
            ),
            Panel(
                id=4,
                kind="stat",
                title=Words("Durée moyenne d'une session", "Mean length of a session"),
                answers=Words(
                    "De celles qui ont fini depuis 7 jours, cinq au moins. Quelques minutes : on passe ; des heures :"
                    " on travaille.",
                    "Of those that ended within 7 days, five at least. Minutes: passers-by; hours: people at work.",
                ),
                unit="seconds",
                queries=(Query(MEAN_LENGTH),),
                silence=Words("moins de cinq sessions", "fewer than five sessions"),
                decimals=0,
                width=5,
            ),
            data_age(5),
        ),
        (
            Panel(
                id=6,
                kind="bars",
                title=Words("Appareils par jour et par site", "Devices by day and site"),
                answers=Words(
                    "Appareils admis sur 24 heures glissantes, par site. Les sites peu fréquentés s'affichent « < 5 ».",
                    "Devices admitted over 24 hours, by site. Little-used sites are shown as “< 5”.",
                ),
                of="portal_funnel_total",
                says=FEW,
                queries=(Query(most(masked(DAILY_BY_SITE)), "{{site}}"),),
                decimals=0,
                link="wifi-site",
                moved_by=WAY_IN,
            ),
            Panel(
                id=7,
                kind="lines",
                title=Words("Appareils à la fois", "Devices at once"),
                answers=Words(
                    "Combien sont connectés en même temps, par site. Un site toujours plat : ses affiches manquent, ou"
                    " ses bornes sont mal placées.",
                    "How many are connected at the same time, by site. A site that is always flat: posters are missing,"
                    " or its access points stand in the wrong place.",
                ),
                of="site_clients",
                says=FEW,
                queries=(Query(most(masked('sum by (site) (site_clients{site=~"$site"})')), "{{site}}"),),
                decimals=0,
                link="wifi-site",
                moved_by=CROWD,
            ),
        ),
        (
            Panel(
                id=8,
                kind="bars",
                title=Words("Volume par jour et par site", "Volume by day and site"),
                answers=Words(
                    "Octets entrés par le lien sur 24 heures. Il dit ce que coûterait un plus petit contrat.",
                    "Bytes that came in by the uplink in 24 hours. It tells what a smaller contract would cost.",
                ),
                of="port_receive_bytes_total",
                queries=(Query(most(BYTES), "{{site}}"),),
                link="wifi-lien",
                moved_by=CARRIED,
            ),
            Panel(
                id=9,
                kind="grid",
                title=Words("Heures pleines, sur 7 jours", "Busiest hours, over 7 days"),
                answers=Words(
                    "Affluence de chaque heure, en part de la plus forte de la semaine ; orange au-delà de 80 %.",
                    "Each hour's crowd, as part of the week's fullest; orange beyond 80%.",
                ),
                unit="ratio",
                levels=Levels(warn="> 0.8"),
                queries=(
                    Query(
                        most(
                            'avg_over_time(site_clients{site=~"$site"}[1h])'
                            ' / (max_over_time(site_clients{site=~"$site"}[7d]) >= 5)'
                        ),
                        "{{site}}",
                    ),
                ),
                silence=Words("moins de cinq appareils", "fewer than five devices"),
                since="7d",
                moved_by=CROWD,
            ),
        ),
        (
            Panel(
                id=12,
                kind="matrix",
                title=Words("La semaine type de la ville", "The town's usual week"),
                answers=Words(
                    "Appareils à la fois, par jour et par heure, en moyenne des quatre dernières semaines. Une heure"
                    " pleine juste avant la fermeture : ouvrir plus tard ; les heures creuses : y placer les travaux.",
                    "Devices at once by day and hour, the mean of the last four weeks. A full hour just before closing:"
                    " stay open longer; empty hours: announce work then.",
                ),
                of="town_clients_typical",
                says=FEW,
                names={"weekday": DAYS},
                keys={"weekday": Words("Jour", "Day"), "hour": Words("Heure", "Hour")},
                queries=(Query(masked("sum by (weekday, hour) (town_clients_typical)")),),
                silence=Words("pas encore une heure mesurée", "no hour measured yet"),
                decimals=0,
                width=18,
                height=9,
            ),
            Panel(
                id=13,
                kind="stat",
                title=Words("Ce que coûte une session", "What a session costs"),
                answers=Words(
                    "Le prix des liens sur trente jours, divisé par les appareils admis. Un site cher et vide : plus de"
                    " borne à l'entrée, ou un plus petit contrat.",
                    "The price of the uplinks over thirty days, divided by the devices admitted. Dear and empty: an"
                    " access point at the door, or a smaller contract.",
                ),
                unit="euros",
                queries=(
                    Query(
                        'sum(uplink_monthly_fee_euros{site=~"$site"}) * 12 / 365 * 30'
                        ' / (sum(increase(portal_funnel_total{site=~"$site", step="admitted"}[30d])) >= 5)'
                    ),
                ),
                silence=Words("aucun prix dans l'inventaire, ou moins de cinq", "no price in the inventory, or < 5"),
                decimals=2,
                width=6,
                height=9,
                moved_by=WAY_IN,
            ),
        ),
        (
            Panel(
                id=10,
                kind="stack",
                title=Words("Langues choisies", "Languages chosen"),
                answers=Words(
                    "Pages d'accueil par jour et par langue. Une langue qui monte : traduire les affiches.",
                    "Splash pages a day by language. A rising one: translate the posters.",
                ),
                of="portal_splash_pages_total",
                says=FEW,
                queries=(
                    Query(
                        masked('sum by (language) (increase(portal_splash_pages_total{site=~"$site"}[1d]))'),
                        "{{language}}",
                    ),
                ),
                decimals=0,
                link="wifi-portail",
                moved_by=DOOR,
            ),
            Panel(
                id=14,
                kind="gauges",
                title=Words("Combien de temps ils restent, sur 7 jours", "How long they stay, over 7 days"),
                answers=Words(
                    "De quelle durée furent les sessions finies, en parts. Beaucoup de longues : des prises et des"
                    " tables ; beaucoup de courtes : le parcours d'accueil doit aller vite.",
                    "How long the sessions that ended had lasted, as parts. Many long ones: sockets and tables; many"
                    " short ones: the way in must be quick.",
                ),
                unit="ratio",
                queries=tuple(Query(lasted(beyond, until), words) for beyond, until, words in LENGTHS),
                silence=Words("moins de cinq sessions finies", "fewer than five sessions ended"),
                decimals=0,
            ),
            Panel(
                id=11,
                kind="lines",
                title=Words("Comment finissent les sessions", "How sessions end"),
                answers=Words(
                    "Par jour, et comment. Beaucoup que la durée finit : l'allonger dans l'inventaire.",
                    "A day, and how. Many that the length ends: make it longer in the inventory.",
                ),
                of="portal_sessions_ended_total",
                says=FEW,
                names={"by": ENDS},
                queries=(
                    Query(masked('sum by (by) (increase(portal_sessions_ended_total{site=~"$site"}[1d]))'), "{{by}}"),
                ),
                decimals=0,
                moved_by=DOOR,
            ),
        ),
    ),
)
