"""What operators and the town promised, over the period shown: the month so far unless the reader chooses another."""

from collections.abc import Mapping

from dashboards.every import CUT, DISTURBED, LINK, SITE, SITE_KEY, TRUTH, VISIT, data_age, faults, purpose
from dashboards.panel import Board, Column, Panel, Saying
from dashboards.query import Query, least
from dashboards.words import Words
from parvis.catalogue import Levels

UP = 'uplink_up{site=~"$site", uplink=~"$lien"}'
OPEN = 'sum_over_time((site_up{site=~"$site"} * site_open{site=~"$site"})[$__range:5m])'
MONTHS = (
    ("", Words("30 derniers jours", "Last 30 days")),
    (" offset 30d", Words("30 jours d'avant", "30 days before")),
    (" offset 60d", Words("encore avant", "before that")),
)
PERIOD = Words("sur la période affichée", "over the period shown")
DATES = Words("${__from:date:DD/MM/YY} → ${__to:date:DD/MM/YY}", "${__from:date:YYYY-MM-DD} → ${__to:date:YYYY-MM-DD}")
"""The period in the reader's own days: Grafana puts it into titles and texts."""
UNANNOUNCED = f'({UP} unless on (site) (maintenance_active{{device="", site=~"$site"}} == 1))[$__range:1m]'
"""The uplinks' minutes outside announced work on their site."""
PROMISED = 'max by (site, uplink) (uplink_promised_availability_ratio{site=~"$site", uplink=~"$lien"})'
SOLD_BY = " * on (site, uplink) group_left (operator) uplink_contract_info"
OPERATOR = Words("Opérateur", "Operator")
KEPT: Mapping[float, Saying] = {
    1: Saying(Words("✓ tenue", "✓ kept"), "green"),
    0: Saying(Words("✗ manquée", "✗ missed"), "red"),
}
AVAILABLE = Levels(warn="< 0.999", page="< 0.99")

BOARD = Board(
    uid="wifi-sla",
    title=Words("Contrats et engagements", "Contracts and commitments"),
    purpose=Words("Les promesses sont-elles tenues ?", "Are promises kept?"),
    level=1,
    below="wifi-lien",
    variables=(SITE, LINK),
    since="now/M",
    refresh="15m",
    rows=(
        (
            purpose(
                1,
                f"**Les promesses sont-elles tenues, {DATES.fr} ?** Tout compris, puis hors travaux annoncés ;"
                " pénalités et preuves à l'appui : `parvis sla report`, docs/23.",
                f"**Are promises kept, {DATES.en}?** All included, then without announced work; credit due and the"
                " evidence for it: `parvis sla report`, docs/23.",
            ),
        ),
        (
            Panel(
                id=2,
                kind="stat",
                title=Words(f"Pire lien, {DATES.fr}", f"Worst uplink, {DATES.en}"),
                answers=Words(
                    f"Part du temps où le lien le plus mauvais répondait, {PERIOD.fr} : ressentie, tout compris, et"
                    " hors travaux annoncés. Sous la promesse du contrat : le rapport, puis l'opérateur.",
                    f"Part of the time the worst uplink answered, {PERIOD.en}: felt, all included, and without"
                    " announced work. Below the contract's promise: the report, then the operator.",
                ),
                unit="ratio",
                levels=AVAILABLE,
                queries=(
                    Query(f"min(avg_over_time({UP}[$__range]))", Words("ressentie", "felt")),
                    Query(f"min(avg_over_time({UNANNOUNCED}))", Words("hors travaux", "without works")),
                ),
                width=9,
                decimals=3,
                link="wifi-lien",
                moved_by=CUT,
            ),
            Panel(
                id=3,
                kind="stat",
                title=Words(f"Pire site ouvert, {DATES.fr}", f"Worst site when open, {DATES.en}"),
                answers=Words(
                    f"Part des heures d'ouverture où le Wi-Fi marchait, {PERIOD.fr}. C'est ce que l'habitant ressent.",
                    f"Part of opening hours in which Wi-Fi worked, {PERIOD.en}. It is what residents feel.",
                ),
                unit="ratio",
                levels=Levels(warn="< 0.995", page="< 0.98"),
                queries=(
                    Query(
                        f"min({OPEN}"
                        ' / (sum_over_time((site_open{site=~"$site"} * (site_up{site=~"$site"} >= bool 0))'
                        "[$__range:5m]) > 0))"
                    ),
                ),
                silence=Words("aucune heure d'ouverture", "no opening hour"),
                decimals=3,
                link="wifi-site",
                moved_by=faults("fibre-cut", "switch-silent", "internet-cut"),
            ),
            Panel(
                id=4,
                kind="stat",
                title=Words(f"Visiteur de test, {DATES.fr}", f"Test visitor, {DATES.en}"),
                answers=Words(
                    f"Part des parcours réussis du visiteur de test, {PERIOD.fr}. Objectif : 99 %.",
                    f"Part of the test visitor's visits that succeeded, {PERIOD.en}. Goal: 99%.",
                ),
                unit="ratio",
                levels=Levels(warn="< 0.99"),
                queries=(Query('avg(avg_over_time(visitor_success{site=~"$site"}[$__range]))'),),
                silence=Words("pas de visiteur de test", "no test visitor"),
                decimals=3,
                link="wifi-portail",
                moved_by=VISIT | faults("centre-isolated"),
            ),
            data_age(5),
        ),
        (
            Panel(
                id=6,
                kind="table",
                title=Words(f"Par lien, {DATES.fr}", f"By uplink, {DATES.en}"),
                answers=Words(
                    "Ce que le contrat promet et ce qui fut : avec et sans les travaux annoncés ; minutes coupées, et"
                    " celles que la promesse permet au prorata de la période. À joindre au courrier.",
                    "What the contract promises and what was: with and without announced work; minutes cut, and those"
                    " the promise allows for the period shown. For the letter to the operator.",
                ),
                keys={"site": SITE_KEY, "uplink": LINK.title, "operator": OPERATOR},
                columns=(
                    Column(title=Words("Ressentie", "Felt"), unit="ratio", levels=AVAILABLE, decimals=2),
                    Column(title=Words("Minutes coupées", "Minutes cut"), unit="minutes"),
                    Column(title=Words("Coupures", "Cuts"), unit="1"),
                    Column(title=Words("Pertes moyennes", "Mean loss"), of="icmp_loss_ratio"),
                    Column(title=Words("Hors travaux", "Without works"), unit="ratio", levels=AVAILABLE, decimals=2),
                    Column(title=Words("Promise", "Promised"), of="uplink_promised_availability_ratio", decimals=2),
                    Column(title=Words("Tenue", "Kept"), says=KEPT),
                    Column(title=Words("Minutes permises", "Minutes allowed"), unit="minutes"),
                    Column(title=Words("Réparer en", "Repair within"), of="uplink_promised_repair_seconds"),
                ),
                queries=(
                    Query(f"avg by (site, uplink) (avg_over_time({UP}[$__range])){SOLD_BY}"),
                    Query(f"avg by (site, uplink) ((1 - avg_over_time({UP}[$__range])) * $__range_s / 60)"),
                    Query(f"sum by (site, uplink) (ceil(changes({UP}[$__range]) / 2))"),
                    Query(
                        "avg by (site, uplink) (label_replace(avg_over_time("
                        'icmp_loss_ratio{kind="uplink", site=~"$site", target=~"$lien"}[$__range]),'
                        ' "uplink", "$1", "target", "(.*)"))'
                    ),
                    Query(f"avg by (site, uplink) (avg_over_time({UNANNOUNCED}))"),
                    Query(PROMISED),
                    Query(f"avg by (site, uplink) (avg_over_time({UNANNOUNCED})) >= bool {PROMISED}"),
                    Query(f"(1 - {PROMISED}) * $__range_s / 60"),
                    Query('max by (site, uplink) (uplink_promised_repair_seconds{site=~"$site", uplink=~"$lien"})'),
                ),
                first="lowest",
                link="wifi-lien",
                moved_by=CUT | DISTURBED | faults("work-announced"),
            ),
        ),
        (
            Panel(
                id=7,
                kind="table",
                title=Words("Par lien, trente jours après trente jours", "By uplink, thirty days after thirty"),
                answers=Words(
                    "Disponibilité par tranches de trente jours, aussi loin que Prometheus se souvient (90 jours). Un"
                    " lien qui baisse chaque fois : le dire à l'opérateur avant le renouvellement.",
                    "Availability by thirty days, as far back as Prometheus remembers (90 days). An uplink that falls"
                    " each time: tell the operator before the contract is renewed.",
                ),
                keys={"site": SITE_KEY, "uplink": LINK.title, "operator": OPERATOR},
                columns=tuple(Column(title=words, unit="ratio", levels=AVAILABLE, decimals=2) for _, words in MONTHS),
                queries=tuple(
                    Query(f"avg by (site, uplink) (avg_over_time({UP}[30d]{offset})){SOLD_BY}") for offset, _ in MONTHS
                ),
                first="lowest",
                moved_by=faults("fibre-cut"),
            ),
            Panel(
                id=8,
                kind="states",
                title=Words("Les coupures", "The cuts"),
                answers=Words(
                    "Quand chaque lien était coupé. Survoler pour les heures ; elles vont au ticket de l'opérateur.",
                    "When each uplink was cut. Hover for the hours; they go into the operator's ticket.",
                ),
                of="uplink_up",
                says=TRUTH,
                queries=(Query(least(f"min by (uplink) ({UP})"), "{{uplink}}"),),
                link="wifi-lien",
                moved_by=CUT,
            ),
        ),
        (
            Panel(
                id=9,
                kind="lines",
                title=Words("Réserve d'erreurs du portail", "The portal's error budget"),
                answers=Words(
                    "Part des réponses qui n'étaient pas des échecs, sur 24 heures. Objectif 99 % par mois.",
                    "Part of the answers that were no failures, over 24 hours. Goal 99% a month.",
                ),
                unit="ratio",
                levels=Levels(warn="< 0.99"),
                queries=(
                    Query(
                        '1 - (sum(rate(portal_http_responses_total{site=~"$site", code="5xx"}[1d])) or vector(0))'
                        ' / (sum(rate(portal_http_responses_total{site=~"$site"}[1d])) > 0)',
                        Words("réussies", "succeeded"),
                    ),
                ),
                silence=Words("personne n'est venu", "nobody came"),
                link="wifi-portail",
                moved_by=faults("store-broken"),
            ),
        ),
    ),
)
