"""The portal: how far residents get, from the lease to the first byte, and where they stop."""

from dashboards.every import CUT, DOOR, SITE, SITE_KEY, TRUTH, VISIT, WAY_IN, data_age, faults, purpose
from dashboards.panel import Board, Column, Panel
from dashboards.query import Query, Select, most
from dashboards.spoken import ACCEPTANCES, ERRORS, REFUSALS, VISITOR_STEPS
from dashboards.words import Words
from parvis.catalogue import Levels

STEPS = {
    "lease": Words("1 adresse prêtée", "1 address leased"),
    "probe": Words("2 sonde du téléphone", "2 the phone's probe"),
    "api": Words("3 API captive", "3 captive API"),
    "page": Words("4 page vue", "4 page seen"),
    "accepted": Words("5 conditions acceptées", "5 terms accepted"),
    "admitted": Words("6 passage ouvert", "6 admitted"),
    "first-byte": Words("7 premier octet", "7 first byte"),
}
"""The way to the internet; the catalogue's portal_funnel_total has the same steps."""
FUNNEL = 'sum(increase(portal_funnel_total{{site=~"$site", step="{step}"}}[1d]))'
PASSED = (
    'sum(increase(portal_funnel_total{{site=~"$site", step="{step}"}}[1h]))'
    ' / (sum(increase(portal_funnel_total{{site=~"$site", step="{before}"}}[1h])) > 0)'
)
PASSES = (
    ("page", "accepted", Words("page → accepté", "page → accepted")),
    ("accepted", "admitted", Words("accepté → ouvert", "accepted → admitted")),
    ("admitted", "first-byte", Words("ouvert → en ligne", "admitted → online")),
)
MINUTE = 'sum by ({by}) (60 * rate({metric}{{site=~"$site"}}[$__rate_interval]))'

BOARD = Board(
    uid="wifi-portail",
    title=Words("Portail — parcours", "Portal — the way in"),
    purpose=Words("Ceux qui arrivent se retrouvent-ils en ligne ?", "Do those who arrive get online?"),
    level=1,
    below="wifi-collecte",
    variables=(SITE,),
    rows=(
        (
            purpose(
                1,
                "**Ceux qui arrivent se retrouvent-ils en ligne, et sinon à quelle marche s'arrêtent-ils ?**",
                "**Do those who arrive get online, and if not, at which step do they stop?**",
            ),
        ),
        (
            Panel(
                id=2,
                kind="gauges",
                title=Words("Le chemin vers internet, depuis un jour", "The way to the internet, since a day"),
                answers=Words(
                    "Appareils parvenus à chaque marche, chacun une fois par jour. Une marche bien plus basse que la"
                    " précédente : c'est là.",
                    "Devices that reached each step, each once a day. A step far lower than the one before: there.",
                ),
                of="portal_funnel_total",
                queries=tuple(Query(FUNNEL.format(step=step), words) for step, words in STEPS.items()),
                decimals=0,
                width=12,
                height=9,
                moved_by=WAY_IN | faults("internet-cut"),
            ),
            Panel(
                id=3,
                kind="stat",
                title=Words("D'une marche à la suivante, 1 h", "From step to step, 1 h"),
                answers=Words(
                    "Combien passent d'une marche à la suivante. La première basse : les conditions rebutent ; les"
                    " autres sous 50 % : passerelle ou lien.",
                    "How many pass from one step to the next. The first is low: the terms put off; the others below"
                    " 50%: gateway or uplink.",
                ),
                unit="1",
                levels=Levels(warn="< 0.5"),
                queries=tuple(Query(PASSED.format(before=before, step=step), words) for before, step, words in PASSES),
                silence=Words("personne n'est venu", "nobody came"),
                decimals=2,
                width=6,
                height=9,
                moved_by=faults("store-broken", "gatewayd-dead", "internet-cut"),
            ),
            Panel(
                id=4,
                kind="stat",
                title=Words("Certificat", "Certificate"),
                answers=Words(
                    "Temps qui reste au certificat le plus court. Sous 14 jours : le renouveler.",
                    "Time left to the shortest certificate. Below 14 days: renew it.",
                ),
                of="portal_certificate_remaining_seconds",
                queries=(Query('min(portal_certificate_remaining_seconds{site=~"$site"})'),),
                decimals=0,
                width=3,
                height=9,
                moved_by=faults("certificate-ending", "centre-isolated"),
            ),
            data_age(5),
        ),
        (
            Panel(
                id=6,
                kind="lines",
                title=Words("De l'acceptation à l'ouverture", "From acceptance to admission"),
                answers=Words(
                    "Un sur deux et 95 sur cent ouvrent en moins de tant. Au-delà de 1 s : disque ou gatewayd.",
                    "One in two and 95 in a hundred are admitted within this. Beyond 1 s: disk or gatewayd.",
                ),
                of="portal_accept_seconds",
                queries=tuple(
                    Query(
                        f"histogram_quantile({share}, sum by (le)"
                        ' (rate(portal_accept_seconds_bucket{site=~"$site"}[$__rate_interval])))',
                        name,
                    )
                    for share, name in ((0.5, "p50"), (0.95, "p95"))
                ),
                silence=Words("personne n'a accepté", "nobody accepted"),
                moved_by=DOOR,
            ),
            Panel(
                id=7,
                kind="heat",
                title=Words("Durées d'ouverture", "How long admission takes"),
                answers=Words(
                    "Combien d'ouvertures par durée. Deux nuages : une passerelle sur deux est lente.",
                    "How many admissions by duration. Two clouds: some gateway is slow.",
                ),
                of="portal_accept_seconds",
                queries=(
                    Query(
                        'sum by (le) (increase(portal_accept_seconds_bucket{site=~"$site"}[$__rate_interval]))',
                        "{{le}}",
                        buckets=True,
                    ),
                ),
                silence=Words("personne n'a accepté", "nobody accepted"),
                moved_by=DOOR,
            ),
            Panel(
                id=8,
                kind="lines",
                title=Words("Pages de regret, par cause", "Pages of regret, by cause"),
                answers=Words(
                    "Échecs par minute. Rien ne s'enregistre : le disque ; gatewayd : le relancer ; une faute du"
                    " portail : son journal.",
                    "Failures a minute. Nothing can be stored: the disk; gatewayd: restart it; the portal's fault: its"
                    " log.",
                ),
                unit="1",
                levels=Levels(warn="> 1"),
                queries=(Query(most(MINUTE.format(by="reason", metric="portal_errors_total")), "{{reason}}"),),
                names={"reason": ERRORS},
                silence=Words("✓ aucune", "✓ none"),
                moved_by=faults("store-broken", "gatewayd-dead", "centre-isolated"),
            ),
        ),
        (
            Panel(
                id=9,
                kind="table",
                title=Words("Le visiteur de test, marche par marche", "The test visitor, step by step"),
                answers=Words(
                    "Un programme fait chaque minute le chemin d'un habitant. La première marche ✗ dit où chercher.",
                    "A program walks a resident's way each minute. The first ✗ says where to look.",
                ),
                keys={"site": SITE_KEY, "step": Words("Marche", "Step")},
                names={"step": VISITOR_STEPS},
                columns=(
                    Column(title=Words("Résultat", "Result"), of="visitor_step_success", says=TRUTH),
                    Column(title=Words("Durée", "Duration"), of="visitor_step_seconds"),
                ),
                queries=(
                    Query('min by (site, step) (visitor_step_success{site=~"$site"})'),
                    Query('max by (site, step) (visitor_step_seconds{site=~"$site"})'),
                ),
                first="lowest",
                silence=Words("pas de visiteur de test", "no test visitor"),
                width=10,
                height=9,
                moved_by=CUT | VISIT,
            ),
            Panel(
                id=10,
                kind="bars",
                title=Words("Ce que deviennent les acceptations", "What becomes of acceptances"),
                answers=Words(
                    "Par minute et par résultat. En attente : enregistrées, gatewayd est absent ; introuvable :"
                    " appareil sans bail.",
                    "A minute, by result. Waiting: stored, gatewayd is away; not found: a device without a lease.",
                ),
                unit="1",
                queries=(Query(most(MINUTE.format(by="result", metric="portal_acceptances_total")), "{{result}}"),),
                names={"result": ACCEPTANCES},
                width=7,
                height=9,
                moved_by=WAY_IN,
            ),
            Panel(
                id=11,
                kind="stack",
                title=Words("Refus par cause", "Refusals by cause"),
                answers=Words(
                    "Par minute. Hors des horaires : normal ; site plein : y ajouter une borne ou des places.",
                    "A minute. Outside the hours: normal; site full: add an access point or places.",
                ),
                unit="1",
                queries=(Query(most(MINUTE.format(by="reason", metric="portal_refusals_total")), "{{reason}}"),),
                names={"reason": REFUSALS},
                silence=Words("✓ aucun", "✓ none"),
                width=7,
                height=9,
                moved_by=DOOR,
            ),
        ),
        (
            Panel(
                id=12,
                kind="gauges",
                title=Words("Adresses prêtées", "Addresses leased"),
                answers=Words(
                    "Part des adresses prêtées par site. Au-delà de 90 % : agrandir le réseau ou raccourcir les baux.",
                    "Part of the addresses leased, by site. Beyond 90%: a larger network or shorter leases.",
                ),
                of="gateway_pool_used_ratio",
                queries=(Query(most('max by (site) (gateway_pool_used_ratio{site=~"$site"})'), "{{site}}"),),
                decimals=0,
                link="wifi-site",
                moved_by=CUT | faults("gatewayd-dead", "pool-full"),
            ),
            Panel(
                id=13,
                kind="stat",
                title=Words("Portail, gatewayd, règles", "Portal, gatewayd, rules"),
                answers=Words(
                    "Tout tourne-t-il à toutes les passerelles ? ✗ : `/runbooks/ServicePasserelleArrete` du moniteur.",
                    "Does all run at all gateways? ✗: `/runbooks/ServicePasserelleArrete` of the monitor.",
                ),
                of="gateway_ruleset_up",
                says=TRUTH,
                queries=(
                    Query('min(up{job="portal", site=~"$site"})', Words("portail", "portal")),
                    Query('min(up{job="gatewayd", site=~"$site"})', "gatewayd"),
                    Query('min(gateway_ruleset_up{site=~"$site"})', Words("règles", "rules")),
                    Query('min(portal_gateway_up{site=~"$site"})', Words("portail → gatewayd", "portal → gatewayd")),
                ),
                height=8,
                moved_by=DOOR | faults("gatewayd-dead", "rules-flushed"),
            ),
            Panel(
                id=14,
                kind="stack",
                title=Words("Langues des pages", "Languages of the pages"),
                answers=Words(
                    "En quelles langues la page d'accueil est montrée, par minute. Une langue qui monte : l'afficher.",
                    "In which languages the splash page is shown, a minute. A rising one: put it on posters.",
                ),
                unit="1",
                queries=(Query(MINUTE.format(by="language", metric="portal_splash_pages_total"), "{{language}}"),),
                moved_by=DOOR,
            ),
            Panel(
                id=15,
                kind="stack",
                title=Words("Familles de téléphones", "Families of phones"),
                answers=Words(
                    "Sondes par système. Une famille qui disparaît : sa détection est cassée.",
                    "Probes by system. A family that vanishes: its detection is broken.",
                ),
                unit="1 per second",
                queries=(Query(Select("portal_probes_total", by=("family",)), "{{family}}"),),
                moved_by=DOOR,
            ),
        ),
        (
            Panel(
                id=16,
                kind="lines",
                title=Words("Réponse de gatewayd", "gatewayd's response"),
                answers=Words(
                    "95 demandes sur cent sont servies en moins de tant. Au-delà de 0,1 s : passerelle surchargée.",
                    "95 in a hundred requests are served within this. Beyond 0.1 s: an overloaded gateway.",
                ),
                of="gateway_request_seconds",
                queries=(
                    Query(
                        "histogram_quantile(0.95, sum by (le)"
                        ' (rate(gateway_request_seconds_bucket{site=~"$site"}[$__rate_interval])))',
                        "p95",
                    ),
                ),
                moved_by=CUT | faults("gatewayd-dead"),
            ),
        ),
    ),
)
