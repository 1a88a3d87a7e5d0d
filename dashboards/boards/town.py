"""The wall: one look at 1080p, no scrolling, says whether the town's Wi-Fi is well and who looks after it."""

from dashboards.every import (
    CARRIED,
    CROWD,
    INCIDENT,
    JUDGED,
    ONWARD,
    REACHED,
    SITE,
    SITE_KEY,
    TRUTH,
    UPLINK_PORT,
    VERDICT_WORDS,
    VISIT,
    data_age,
    faults,
    purpose,
    verdicts,
)
from dashboards.panel import Board, Column, Panel
from dashboards.query import Query, most
from dashboards.spoken import INCIDENT_STATES
from dashboards.words import Words
from parvis.catalogue import Levels

POINTS = 'reachability_state{kind="access-point", site=~"$site"}'
WORKING = 'reachability_state{kind="access-point", site=~"$site", state=~"up|degraded"}'
CLIENTS = 'sum(site_clients{site=~"$site"})'
USUAL = " or ".join(
    f'label_replace(sum(site_clients{{site=~"$site"}} offset {weeks}w), "week", "{weeks}", "", "")'
    for weeks in (1, 2, 3, 4)
)
ADMITTED = " / ".join(
    f'{part}(increase(portal_acceptances_total{{site=~"$site", {results}}}[15m])){more}'
    for part, results, more in (
        ("sum", 'result=~"admitted|again|replayed"', ""),
        ("(sum", 'result!~"visitor|refused"', " > 0)"),
    )
)
"""Of the residents' acceptances, those that opened the door; the visitor's and forged ones count for neither."""

BOARD = Board(
    uid="wifi-ville",
    title=Words("Ville — mur", "Town — wall"),
    purpose=Words("Le Wi-Fi de la ville va-t-il bien ?", "Is the town's Wi-Fi well?"),
    level=0,
    below="wifi-site",
    variables=(SITE,),
    refresh="30s",
    rows=(
        (
            purpose(
                1,
                "**Le Wi-Fi public de la ville va-t-il bien, et qui s'en occupe ?** Un site se lit en cliquant dessus.",
                "**Is the town's public Wi-Fi well, and who looks after it?** Click a site to read it.",
            ),
        ),
        (
            Panel(
                id=2,
                kind="stat",
                title=Words("Bornes en service", "Access points in service"),
                answers=Words(
                    "Part des bornes qui répondent, sur toutes celles de l'inventaire. Sous 90 % : ouvrir Site.",
                    "Part of the inventory's access points that answer. Below 90%: open Site.",
                ),
                unit="ratio",
                levels=Levels(warn="< 0.9", page="< 0.5"),
                queries=(Query(f"sum({WORKING}) / sum({POINTS})"),),
                decimals=0,
                link="wifi-site",
                moved_by=REACHED,
            ),
            Panel(
                id=3,
                kind="stat",
                title=Words("Liens coupés", "Uplinks cut"),
                answers=Words(
                    "Liens fibre dont le bout de la ville ne répond plus. Dès 1 : l'astreinte est appelée, voir Lien.",
                    "Fibre uplinks whose end in town does not answer. From 1 on-call is paged, see Uplink.",
                ),
                levels=Levels(page="> 0.5"),
                queries=(Query('sum(reachability_state{kind="uplink", site=~"$site", state="down"})'),),
                link="wifi-lien",
                moved_by=faults("fibre-cut"),
            ),
            Panel(
                id=4,
                kind="stat",
                title=Words("Le portail, sur 15 min", "The portal, over 15 min"),
                answers=Words(
                    "Part des parcours complets du visiteur qui est un programme, et des acceptations d'habitants qui"
                    " ont ouvert le passage. Sous 95 % : Portail.",
                    "Part of the full visits by the resident that is a program, and of residents' acceptances that were"
                    " admitted. Below 95%: Portal.",
                ),
                unit="ratio",
                levels=Levels(warn="< 0.95", page="< 0.5"),
                queries=(
                    Query('avg(avg_over_time(visitor_success{site=~"$site"}[15m]))', Words("visiteur", "visitor")),
                    Query(ADMITTED, Words("habitants", "residents")),
                ),
                silence=Words("personne, ni visiteur de test", "nobody, nor a test visitor"),
                decimals=0,
                link="wifi-portail",
                moved_by=VISIT | faults("gatewayd-dead"),
            ),
            Panel(
                id=5,
                kind="stat",
                title=Words("Alertes ouvertes", "Open alerts"),
                answers=Words(
                    "Alertes ouvertes au moteur d'astreinte, par gravité. Qui a pris quoi : la page d'astreinte du"
                    " moniteur.",
                    "Open alerts in the on-call engine, by severity. Who took what: the monitor's on-call page.",
                ),
                of="alerts_open",
                levels=Levels(warn="> 0.5"),
                queries=(Query("sum by (severity) (alerts_open)", "{{severity}}"),),
                link="wifi-astreinte",
                moved_by=INCIDENT,
            ),
            Panel(
                id=6,
                kind="stat",
                title=Words("D'astreinte", "On call"),
                answers=Words(
                    "Qui est appelé maintenant au premier niveau, et pour combien de temps encore. Personne : compléter"
                    " la rota.",
                    "Who is called now at the first level, and for how long. Nobody: complete the rota.",
                ),
                of="oncall_turn_remaining_seconds",
                queries=(
                    Query(
                        'oncall_turn_remaining_seconds{level="1"}'
                        ' * on (level) group_left (person) oncall_duty_info{level="1"}',
                        "{{person}}",
                    ),
                ),
                silence=Words("✗ personne", "✗ nobody"),
                decimals=0,
                link="wifi-astreinte",
            ),
            data_age(7),
        ),
        (
            Panel(
                id=8,
                kind="grid",
                title=Words("Chaque site, au fil du temps", "Each site over time"),
                answers=Words(
                    "Le verdict de la supervision sur chaque site. Tout ce qui n'est pas ✓ : cliquer pour le site.",
                    "The monitor's verdict on each site. Whatever is not ✓: click for the site.",
                ),
                of="site_verdict",
                says=VERDICT_WORDS,
                queries=(Query(most(verdicts()), "{{site}}"),),
                link="wifi-site",
                width=10,
                height=9,
                moved_by=JUDGED,
            ),
            Panel(
                id=9,
                kind="lines",
                title=Words("Habitants connectés, et d'habitude", "Residents connected, and usually"),
                answers=Words(
                    "Terminaux connectés, et la médiane des quatre dernières semaines à la même heure du même jour."
                    " Bien moins alors que tout est ✓ : voir Portail.",
                    "Devices connected, and the median of the last four weeks at this hour of this weekday. Far fewer"
                    " while all is ✓: see Portal.",
                ),
                of="site_clients",
                queries=(
                    Query(CLIENTS, Words("maintenant", "now")),
                    Query(f"quantile(0.5, {USUAL})", Words("d'habitude", "usually")),
                ),
                link="wifi-usage",
                width=7,
                height=9,
                moved_by=CROWD,
            ),
            Panel(
                id=13,
                kind="table",
                title=Words("Qui s'en occupe", "Who looks after it"),
                answers=Words(
                    "Les incidents en cours, depuis quand, et qui les a pris. Sans nom : l'astreinte est rappelée.",
                    "Incidents that are not over, since when, and who took them. No name: on-call is called again.",
                ),
                keys={
                    "site": SITE_KEY,
                    "cause": Words("Cause", "Cause"),
                    "state": Words("État", "State"),
                    "person": Words("Pris par", "Taken by"),
                },
                names={"state": INCIDENT_STATES},
                columns=(Column(title=Words("Depuis", "Since"), unit="seconds", decimals=0),),
                queries=(
                    Query(
                        "time() - max by (site, cause, state, person)"
                        ' (oncall_incident_opened_timestamp_seconds{site=~"$site|"})'
                    ),
                ),
                first="highest",
                silence=Words("✓ aucun incident", "✓ no incident"),
                link="wifi-astreinte",
                width=7,
                height=9,
                moved_by=INCIDENT,
            ),
        ),
        (
            Panel(
                id=10,
                kind="table",
                title=Words("Les sites maintenant", "Sites now"),
                answers=Words(
                    "Un site par ligne : verdict, lien et internet au-delà, habitants, réponse du lien. Internet ✗"
                    " sous un lien ✓ : l'opérateur. Cliquer pour le site.",
                    "One site a row: verdict, uplink and internet beyond, residents, uplink response. Internet ✗ with"
                    " uplink ✓: the operator. Click for the site.",
                ),
                keys={"site": SITE_KEY},
                columns=(
                    Column(title=Words("Verdict", "Verdict"), of="site_verdict", says=VERDICT_WORDS),
                    Column(title=Words("Lien", "Uplink"), of="uplink_up", says=TRUTH),
                    Column(title=Words("Internet", "Internet"), of="uplink_target_up", says=TRUTH),
                    Column(title=Words("Habitants", "Residents"), of="site_clients"),
                    Column(title=Words("Aller-retour", "Round trip"), of="icmp_rtt_seconds"),
                ),
                queries=(
                    Query(verdicts()),
                    Query('max by (site) (uplink_up{site=~"$site"})'),
                    Query('max by (site) (uplink_target_up{site=~"$site"})'),
                    Query('sum by (site) (site_clients{site=~"$site"})'),
                    Query('max by (site) (icmp_rtt_seconds{kind="uplink", site=~"$site"})'),
                ),
                first="highest",
                link="wifi-site",
                width=10,
                moved_by=CROWD | JUDGED | ONWARD,
            ),
            Panel(
                id=11,
                kind="lines",
                title=Words("Débit total et débit souscrit", "Total throughput and what is paid for"),
                answers=Words(
                    "Ce qui entre par tous les liens, et la somme des débits des contrats. Près de la limite : Lien.",
                    "What comes in by all uplinks, and the sum of the contracts' rates. Near the limit: Uplink.",
                ),
                of="uplink_capacity_bits_per_second",
                queries=(
                    Query(
                        f'sum(8 * rate(port_receive_bytes_total{{site=~"$site"}}[$__rate_interval]) {UPLINK_PORT})',
                        Words("entrant", "incoming"),
                    ),
                    Query('sum(uplink_capacity_bits_per_second{site=~"$site"})', Words("souscrit", "paid for")),
                ),
                link="wifi-lien",
                width=7,
                moved_by=CARRIED,
            ),
            Panel(
                id=12,
                kind="map",
                title=Words("Où", "Where"),
                answers=Words(
                    "Chaque site à sa place, de la couleur de son verdict. Le survoler pour la phrase.",
                    "Each site in its place, in its verdict's colour. Hover for the sentence.",
                ),
                of="site_verdict",
                says=VERDICT_WORDS,
                queries=(
                    Query(
                        f"{verdicts()} * on (site) group_left (latitude, longitude) site_location_info",
                    ),
                ),
                silence=Words("aucun site n'a de position", "no site has a position"),
                link="wifi-site",
                width=7,
                moved_by=JUDGED,
            ),
        ),
    ),
)
