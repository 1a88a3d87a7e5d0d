"""On call: who is called, does the call get through, and is anybody called for nothing."""

from dashboards.every import ALARM, INCIDENT, SITE, SITE_KEY, TRUTH, data_age, faults, purpose
from dashboards.panel import Board, Column, Panel
from dashboards.query import Query, most
from dashboards.spoken import INCIDENT_STATES, REFUSED_ALERTS, REPLIES
from dashboards.words import Words
from parvis.catalogue import Levels

CALLS = INCIDENT - faults("ap-silent", "link-flaps")
"""What somebody is called for: those two are tickets."""
SENT = 'oncall_messages_total{result=~"accepted|proved"}'

BOARD = Board(
    uid="wifi-astreinte",
    title=Words("Astreinte", "On call"),
    purpose=Words("Si une panne survient, l'appel arrive-t-il ?", "If something breaks, does the call get through?"),
    level=1,
    below="wifi-collecte",
    variables=(SITE,),
    since="now-24h",
    rows=(
        (
            purpose(
                1,
                "**Si une panne survient, l'appel arrive-t-il, et appelle-t-on pour rien ?** Aucun classement de"
                " personnes.",
                "**If something breaks, does the call get through, and is anybody called for nothing?** No ranking of"
                " people.",
            ),
        ),
        (
            Panel(
                id=2,
                kind="stat",
                title=Words("D'astreinte, encore pour", "On call, for another"),
                answers=Words(
                    "Qui est appelé à chaque niveau, pour combien de temps encore, et qui prend la suite. « Personne »"
                    " : compléter la rota.",
                    "Who is called at each level, for how long, and who is next. “Nobody”: complete the rota.",
                ),
                of="oncall_turn_remaining_seconds",
                queries=(
                    Query(
                        "oncall_turn_remaining_seconds * on (level) group_left (person) oncall_duty_info",
                        "{{level}} {{person}}",
                    ),
                    Query(
                        "oncall_turn_remaining_seconds * on (level) group_left (person) oncall_next_info",
                        Words("{{level}} puis {{person}}, dans", "{{level}} then {{person}}, in"),
                    ),
                ),
                silence=Words("✗ personne", "✗ nobody"),
                decimals=0,
                width=8,
            ),
            Panel(
                id=3,
                kind="stat",
                title=Words("Incidents, par état", "Incidents, by state"),
                answers=Words(
                    "Combien attendent, combien sont pris. Personne encore : l'astreinte est rappelée.",
                    "How many wait, how many are taken. Nobody yet: on-call is called again.",
                ),
                of="oncall_incidents",
                queries=(Query("sum by (state) (oncall_incidents)", "{{state}}"),),
                names={"state": INCIDENT_STATES},
                width=8,
                moved_by=INCIDENT,
            ),
            Panel(
                id=4,
                kind="stat",
                title=Words("Dernier battement de Prometheus", "Prometheus's last beat"),
                answers=Words(
                    "Âge du battement que Prometheus fait, non de son arrivée. Au-delà de 150 s : SupervisionMuette.",
                    "Age of the beat by when Prometheus made it, not by arrival. Beyond 150 s: SupervisionMuette.",
                ),
                of="watchdog_beat_timestamp_seconds",
                levels=Levels(warn="> 150", page="> 300"),
                queries=(Query("time() - watchdog_beat_timestamp_seconds"),),
                silence=Words("✗ jamais", "✗ never"),
                decimals=0,
                width=4,
                moved_by=faults("beat-lost"),
            ),
            data_age(5),
        ),
        (
            Panel(
                id=6,
                kind="bars",
                title=Words("Messages par canal et résultat", "Messages by channel and result"),
                answers=Words(
                    "Par heure. failed : le canal suivant a été pris ; s'il dure, réparer le canal.",
                    "An hour. failed: the next channel was taken; if it lasts, repair the channel.",
                ),
                unit="1",
                queries=(
                    Query(
                        most("sum by (channel, result) (increase(oncall_messages_total[1h]))"),
                        "{{channel}} {{result}}",
                    ),
                ),
                silence=Words("✓ aucun message", "✓ no message"),
                moved_by=CALLS | faults("phone-dead"),
            ),
            Panel(
                id=7,
                kind="stat",
                title=Words("Messages en attente", "Messages waiting"),
                answers=Words(
                    "Messages qu'aucun canal n'a pris. Plus de zéro pendant une minute : tous les canaux sont muets.",
                    "Messages no channel has taken. Above zero for a minute: all channels are dead.",
                ),
                of="oncall_waiting_messages",
                levels=Levels(warn="> 0.5"),
                queries=(Query("oncall_waiting_messages"),),
                height=8,
                width=4,
                moved_by=faults("phone-dead"),
            ),
            Panel(
                id=8,
                kind="stat",
                title=Words("Appels, sur 7 jours", "Messages, over 7 days"),
                answers=Words(
                    "Messages partis en une semaine, et ceux d'entre 22 h et 6 h (UTC). La nuit devrait être vide.",
                    "Messages sent in a week, and those between 22:00 and 6:00 (UTC). Nights should be empty.",
                ),
                of="oncall_messages_total",
                queries=(
                    Query(f"sum(increase({SENT}[7d]))", Words("en tout", "in all")),
                    Query(
                        f"sum(sum_over_time((increase({SENT}[1h]) and on () (hour() < 6 or hour() >= 22))[7d:1h]))",
                        Words("de nuit", "at night"),
                    ),
                ),
                silence=Words("✓ aucun", "✓ none"),
                decimals=0,
                height=8,
                width=8,
                moved_by=CALLS | faults("phone-dead"),
            ),
        ),
        (
            Panel(
                id=9,
                kind="gauges",
                title=Words("Temps passé en alerte, sur 7 jours", "Time spent firing, over 7 days"),
                answers=Words(
                    "Les règles qui crient le plus. Une règle toujours là que personne ne traite : la corriger.",
                    "The rules that shout most. One that is always there and nobody treats: correct it.",
                ),
                unit="seconds",
                queries=(
                    Query(
                        'topk(10, sum by (alertname) (sum_over_time(ALERTS{alertstate="firing",'
                        ' severity!="none"}[7d:1m]) * 60))',
                        "{{alertname}}",
                    ),
                ),
                silence=Words("✓ aucune", "✓ none"),
                decimals=0,
                moved_by=ALARM,
            ),
            Panel(
                id=10,
                kind="table",
                title=Words("Alertes en cours", "Alerts firing"),
                answers=Words(
                    "Ce qui est en alerte maintenant aux sites choisis et pour toute la ville. Le mode d'emploi de"
                    " chacune : `/runbooks` du moniteur.",
                    "What fires now at the sites chosen and for the whole town. Each alert has its runbook:"
                    " `/runbooks` of the monitor.",
                ),
                keys={
                    "alertname": Words("Alerte", "Alert"),
                    "severity": Words("Gravité", "Severity"),
                    "site": SITE_KEY,
                },
                columns=(Column(title=Words("Séries", "Series"), unit="1"),),
                queries=(
                    Query(
                        "count by (alertname, severity, site)"
                        ' (ALERTS{alertstate="firing", severity!="none", site=~"$site|"})'
                    ),
                ),
                first="highest",
                silence=Words("✓ aucune", "✓ none"),
                link="wifi-site",
                moved_by=ALARM,
            ),
        ),
        (
            Panel(
                id=11,
                kind="lines",
                title=Words("Alertes refusées par le moteur", "Alerts the engine refused"),
                answers=Words(
                    "Par heure et par cause. Fin non prouvée : un « résolu » que Prometheus mort n'a pas pu voir.",
                    "An hour by cause. End not proved: an all-clear that a dead Prometheus cannot have seen.",
                ),
                unit="1",
                queries=(Query("sum by (reason) (increase(alert_refusals_total[1h]))", "{{reason}}"),),
                names={"reason": REFUSED_ALERTS},
                silence=Words("✓ aucune", "✓ none"),
                moved_by=faults("beat-lost"),
            ),
            Panel(
                id=12,
                kind="stat",
                title=Words("Pour rien, désaccords, silences, travaux", "In vain, disagreements, silences, works"),
                answers=Words(
                    "Incidents de 30 jours finis sans que personne ne les prenne : corriger leur règle. Où Prometheus"
                    " et le moniteur se contredisent ; silences d'Alertmanager ; sites en travaux annoncés.",
                    "Incidents of 30 days that ended without anybody taking them: correct their rule. Where Prometheus"
                    " and the monitor disagree; Alertmanager's silences; sites with announced work.",
                ),
                of="oncall_disagreements",
                queries=(
                    Query('sum(oncall_called_incidents{acknowledged="no"})', Words("pour rien", "in vain")),
                    Query("oncall_disagreements", Words("désaccords", "disagreements")),
                    Query('sum(alertmanager_silences{state="active"})', Words("silences", "silences")),
                    Query('sum(maintenance_active{device=""})', Words("travaux", "works")),
                ),
                height=8,
                moved_by=faults("work-announced"),
            ),
            Panel(
                id=13,
                kind="lines",
                title=Words("Réponses aux messages", "Replies to messages"),
                answers=Words(
                    "Par heure. Numéro inconnu : quelqu'un qui n'est pas de la rota ; pas compris : relire le mode"
                    " d'emploi.",
                    "An hour. Unknown number: not of the rota; not understood: read the manual again.",
                ),
                unit="1",
                queries=(Query("sum by (result) (increase(oncall_replies_total[1h]))", "{{result}}"),),
                names={"result": REPLIES},
                silence=Words("aucune", "none"),
            ),
            Panel(
                id=14,
                kind="stat",
                title=Words("SMS encore payés", "Text messages still paid for"),
                answers=Words(
                    "Ce qui reste au compte de chaque canal. Sous 50 : recharger, sinon personne n'est appelé.",
                    "What each channel's account still has. Below 50: top it up, or nobody will be called.",
                ),
                of="oncall_sms_credits",
                queries=(Query("min by (channel) (oncall_sms_credits)", "{{channel}}"),),
                silence=Words("pas de canal payé au message", "no channel paid by the message"),
                height=8,
            ),
        ),
        (
            Panel(
                id=15,
                kind="stat",
                title=Words("Prendre, rétablir, sur 30 jours", "To acknowledge, to recover, over 30 days"),
                answers=Words(
                    "Du début d'un incident à sa prise en charge, et à son rétablissement : la moitié, et neuf sur dix,"
                    " en moins de tant. Qui monte : revoir la rota ou les niveaux d'appel.",
                    "From an incident's beginning until somebody takes it, and until it is over: half of them, and nine"
                    " in ten, within this. A rising one: look at the rota or the levels of calling.",
                ),
                of="oncall_acknowledge_seconds",
                queries=tuple(
                    Query(f'max({metric}{{quantile="{quantile}"}})', words)
                    for metric, quantile, words in (
                        ("oncall_acknowledge_seconds", "0.5", Words("pris, la moitié", "taken, half")),
                        ("oncall_acknowledge_seconds", "0.9", Words("pris, 9 sur 10", "taken, 9 in 10")),
                        ("oncall_recovery_seconds", "0.5", Words("rétabli, la moitié", "over, half")),
                        ("oncall_recovery_seconds", "0.9", Words("rétabli, 9 sur 10", "over, 9 in 10")),
                    )
                ),
                silence=Words("✓ aucun incident", "✓ no incident"),
                decimals=0,
            ),
            Panel(
                id=16,
                kind="table",
                title=Words("Essais des canaux", "Tests of the channels"),
                answers=Words(
                    "Chaque canal est essayé chaque semaine, vers chacun. ✗ : réparer avant que la panne n'appelle.",
                    "Each channel is tested every week, to everybody. ✗: repair it before an outage calls.",
                ),
                keys={"channel": Words("Canal", "Channel")},
                columns=(
                    Column(title=Words("Essais de chacun", "Everybody's tests"), of="oncall_test_success", says=TRUTH),
                    Column(
                        title=Words("Depuis", "Since"),
                        of="oncall_test_timestamp_seconds",
                        levels=Levels(warn="> 691200"),
                    ),
                ),
                queries=(
                    Query("min by (channel) (oncall_test_success)"),
                    Query("time() - max by (channel) (oncall_test_timestamp_seconds)"),
                ),
                silence=Words("✗ jamais essayés", "✗ never tested"),
                height=4,
                moved_by=faults("phone-dead"),
            ),
        ),
    ),
)
