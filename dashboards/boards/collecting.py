"""Parvis watching itself: are the figures of the other boards true, fresh and whole."""

from dashboards.every import (
    DEVICE_KEY,
    DOOR,
    POLLED,
    REACHED,
    SITE_KEY,
    SITE_OF_DEVICES,
    data_age,
    faults,
    purpose,
)
from dashboards.panel import Board, Column, Panel
from dashboards.query import Query, Select, most
from dashboards.words import Words
from parvis.catalogue import Levels

OURS = 'job=~"portal|gatewayd|collectors|monitor|console"'
LOW_DISK = Levels(warn="< 0.2", page="< 0.05")

BOARD = Board(
    uid="wifi-collecte",
    title=Words("Collecte", "Collectors"),
    purpose=Words("Peut-on croire les autres tableaux ?", "Can the other dashboards be believed?"),
    level=3,
    variables=(SITE_OF_DEVICES,),
    rows=(
        (
            purpose(
                1,
                "**Peut-on croire les autres tableaux ?** Tout ce qui suit devrait être vert ou plat.",
                "**Can the other dashboards be believed?** All below should be green or flat.",
            ),
        ),
        (
            Panel(
                id=2,
                kind="stat",
                title=Words("Équipements relevés", "Devices polled"),
                answers=Words(
                    "Part des équipements dont le dernier relevé a réussi. Sous 90 % : mot de passe SNMP ou pare-feu.",
                    "Part of the devices whose last poll succeeded. Below 90%: SNMP password or firewall.",
                ),
                unit="ratio",
                levels=Levels(warn="< 0.9", page="< 0.5"),
                queries=(Query(Select("snmp_up", how="avg")),),
                decimals=0,
                moved_by=POLLED,
            ),
            Panel(
                id=3,
                kind="stat",
                title=Words("Nos processus", "Our processes"),
                answers=Words(
                    "Part de chaque processus qui répond à Prometheus. Un ✗ : journalctl -u de ce processus.",
                    "Part of each process that answers Prometheus. A ✗: journalctl -u of that process.",
                ),
                unit="ratio",
                levels=Levels(warn="< 1"),
                queries=(Query(f"avg by (job) (up{{{OURS}}})", "{{job}}"),),
                decimals=0,
                width=12,
                moved_by=DOOR | faults("collectors-dead", "gatewayd-dead"),
            ),
            data_age(4),
        ),
        (
            Panel(
                id=5,
                kind="gauges",
                title=Words("Le plus vieux relevé", "The oldest polls"),
                answers=Words(
                    "Âge du dernier relevé réussi, les plus vieux. Au-delà de 5 min l'équipement quitte les tableaux.",
                    "Age of the last poll that succeeded, the oldest. Beyond 5 min the device leaves the dashboards.",
                ),
                of="snmp_poll_age_seconds",
                levels=Levels(warn="> 300"),
                queries=(Query(Select("snmp_poll_age_seconds", by=("device",), how="max", top=12), "{{device}}"),),
                decimals=0,
                moved_by=POLLED,
            ),
            Panel(
                id=6,
                kind="bars",
                title=Words("Relevés manqués, par cause", "Failed polls, by cause"),
                answers=Words(
                    "silent : l'équipement se tait ; credential : mot de passe ; deadline : trop lent.",
                    "silent: no answer; credential: password; deadline: too slow.",
                ),
                unit="1",
                queries=(Query(Select("snmp_poll_failures_total", by=("reason",), times=60, top=12), "{{reason}}"),),
                silence=Words("✓ aucun", "✓ none"),
                moved_by=REACHED | faults("agent-silent"),
            ),
            Panel(
                id=7,
                kind="lines",
                title=Words("Durée des relevés, les plus longs", "Duration of polls, the longest"),
                answers=Words(
                    "Un relevé qui approche de l'intervalle : équipement trop lent, allonger son intervalle.",
                    "A poll near the interval: too slow a device, lengthen its interval.",
                ),
                of="snmp_poll_duration_seconds",
                queries=(Query(Select("snmp_poll_duration_seconds", by=("device",), how="max", top=12), "{{device}}"),),
                moved_by=POLLED,
            ),
        ),
        (
            Panel(
                id=8,
                kind="lines",
                title=Words("Sans réponse à temps", "No answer in time"),
                answers=Words(
                    "Demandes SNMP sans réponse, par équipement. Un seul : lui ; tous ceux d'un site : le lien.",
                    "SNMP requests without an answer, by device. One: it; all of a site: the uplink.",
                ),
                unit="1 per second",
                queries=(
                    Query(
                        most('sum by (device) (rate(snmp_timeouts_total{site=~"$site"}[$__rate_interval])) > 0'),
                        "{{device}}",
                    ),
                ),
                silence=Words("✓ aucune", "✓ none"),
                moved_by=REACHED | faults("agent-silent"),
            ),
            Panel(
                id=9,
                kind="lines",
                title=Words("Mesures par relevé", "Figures in a poll"),
                answers=Words(
                    "Combien de variables chaque relevé a rendues. Une chute : un profil ou un micrologiciel a changé.",
                    "How many variables each poll gave. A fall: a profile or a firmware has changed.",
                ),
                of="snmp_poll_variables",
                queries=(Query(Select("snmp_poll_variables", by=("site",), top=12), "{{site}}"),),
                moved_by=faults("ap-reboots", "collectors-dead"),
            ),
            Panel(
                id=10,
                kind="table",
                title=Words("Mal relevés", "Badly polled"),
                answers=Words(
                    "Colonnes en désordre et mesures écartées, depuis un jour : à signaler à qui tient les profils."
                    " Même moteur SNMPv3 que d'autres : configuration copiée, leurs horloges se gênent. Clients non"
                    " exposés : ce n'est pas personne.",
                    "Columns in disorder and figures left out, since a day: tell whoever keeps the profiles."
                    " The same SNMPv3 engine as others: a copied configuration, their clocks disturb each other."
                    " Clients not exposed: that is not nobody.",
                ),
                keys={"device": DEVICE_KEY},
                columns=(
                    Column(title=Words("Colonnes en désordre", "Columns in disorder"), unit="1"),
                    Column(title=Words("Mesures écartées", "Figures left out"), unit="1"),
                    Column(title=Words("Même moteur", "Same engine"), of="snmp_engine_sharers"),
                    Column(title=Words("Clients non exposés", "Clients not exposed"), unit="1"),
                ),
                queries=(
                    Query(most('sum by (device) (increase(snmp_walk_faults_total{site=~"$site"}[1d])) > 0')),
                    Query(most('sum by (device) (increase(snmp_samples_dropped_total{site=~"$site"}[1d])) > 0')),
                    Query(most('max by (device) (snmp_engine_sharers{site=~"$site"}) > 0')),
                    Query(most('max by (device) (wifi_clients_state{site=~"$site", state="not_exposed"})')),
                ),
                first="highest",
                silence=Words("✓ aucun", "✓ none"),
            ),
        ),
        (
            Panel(
                id=11,
                kind="table",
                title=Words("InfluxDB", "InfluxDB"),
                answers=Words(
                    "Combien de mesures attendent sur le disque, depuis quand, combien furent perdues depuis un jour."
                    " Rien n'est perdu tant que le disque les tient : réparer InfluxDB avant.",
                    "How many figures wait on disk, since when, and how many were lost since a day. None is lost while"
                    " the disk holds them: repair InfluxDB before.",
                ),
                keys={"job": Words("Processus", "Process")},
                columns=(
                    Column(title=Words("En attente", "Waiting"), of="influx_spool_bytes"),
                    Column(title=Words("Depuis", "Since"), unit="seconds", levels=Levels(warn="> 900"), decimals=0),
                    Column(title=Words("Perdues", "Lost"), unit="1", levels=Levels(warn="> 0.5"), decimals=0),
                ),
                queries=(
                    Query("max by (job) (influx_spool_bytes)"),
                    Query("time() - min by (job) (influx_spool_oldest_timestamp_seconds)"),
                    Query('sum by (job) (increase(influx_lines_total{outcome=~"dropped|refused|unspooled"}[1d]))'),
                ),
                silence=Words("pas d'InfluxDB", "no InfluxDB"),
                width=6,
                moved_by=faults("collectors-dead", "influx-away"),
            ),
            Panel(
                id=12,
                kind="lines",
                title=Words("Mémoire de nos processus", "Memory of our processes"),
                answers=Words(
                    "Une pente qui ne redescend jamais est un défaut : le signaler avec le journal.",
                    "A slope that never comes down is a fault: report it with the log.",
                ),
                unit="bytes",
                queries=(Query(f"max by (job) (process_resident_memory_bytes{{{OURS}}})", "{{job}}"),),
                width=9,
                moved_by=faults("collectors-dead", "centre-isolated"),
            ),
            Panel(
                id=17,
                kind="table",
                title=Words("Nos machines", "Our machines"),
                answers=Words(
                    "Processeur (part d'un cœur), disque libre, dans combien de temps il sera plein s'il continue, et"
                    " écart d'horloge avec Prometheus. Un disque qui finit : vider ou agrandir ; une horloge : NTP.",
                    "Processor (part of one core), free disk, when it will be full at this pace, and how far the clock"
                    " is from Prometheus's. A disk that ends: empty or enlarge it; a clock: NTP.",
                ),
                keys={"job": Words("Processus", "Process"), "site": SITE_KEY},
                columns=(
                    Column(title=Words("Processeur", "Processor"), unit="ratio", levels=Levels(warn="> 0.8")),
                    Column(title=Words("Disque libre", "Free disk"), unit="ratio", levels=LOW_DISK),
                    Column(
                        title=Words("Plein dans", "Full in"),
                        unit="seconds",
                        levels=Levels(warn="< 604800", page="< 86400"),
                    ),
                    Column(
                        title=Words("Horloge, écart", "Clock, off by"),
                        of="clock_timestamp_seconds",
                        levels=Levels(warn="> 1"),
                    ),
                ),
                queries=(
                    Query(f"max by (job, site) (rate(process_cpu_seconds_total{{{OURS}}}[$__rate_interval]))"),
                    Query(
                        f"min by (job, site) (state_disk_free_bytes{{{OURS}}} / state_disk_size_bytes{{{OURS}}})",
                    ),
                    Query(
                        f"min by (job, site) (state_disk_free_bytes{{{OURS}}}"
                        f" / (-deriv(state_disk_free_bytes{{{OURS}}}[6h]) > 0))"
                    ),
                    Query(
                        f"max by (job, site) (abs(clock_timestamp_seconds{{{OURS}}}"
                        f" - timestamp(clock_timestamp_seconds{{{OURS}}})))"
                    ),
                ),
                first="highest",
                width=9,
                moved_by=DOOR | faults("collectors-dead", "gatewayd-dead", "clock-off"),
            ),
        ),
        (
            Panel(
                id=14,
                kind="lines",
                title=Words("Séries dans Prometheus", "Series in Prometheus"),
                answers=Words(
                    "Combien de séries sont vivantes. Un saut sans nouveau site : une étiquette qui explose.",
                    "How many series are alive. A jump without a new site: a label that explodes.",
                ),
                unit="1",
                queries=(Query("max(prometheus_tsdb_head_series)", Words("séries", "series")),),
            ),
            Panel(
                id=15,
                kind="table",
                title=Words("Prometheus lui-même", "Prometheus itself"),
                answers=Words(
                    "Règles dont l'évaluation a échoué depuis une heure (leur alerte ne partirait pas), durée d'une"
                    " évaluation, échantillons reçus. Une durée proche de 15 s : trop de règles ou de séries.",
                    "Rules whose evaluation failed in an hour (their alert would not be sent), how long an evaluation"
                    " takes, samples taken. Near 15 s: too many rules or series.",
                ),
                keys={"job": Words("Processus", "Process")},
                columns=(
                    Column(title=Words("Échecs", "Failures"), unit="1", levels=Levels(warn="> 0.5"), decimals=0),
                    Column(title=Words("Évaluation", "Evaluation"), unit="seconds", levels=Levels(warn="> 10")),
                    Column(title=Words("Échantillons", "Samples"), unit="1 per second"),
                ),
                queries=(
                    Query("sum by (job) (increase(prometheus_rule_evaluation_failures_total[1h]))"),
                    Query("max by (job) (prometheus_rule_group_last_duration_seconds)"),
                    Query("sum by (job) (rate(prometheus_tsdb_head_samples_appended_total[$__rate_interval]))"),
                ),
            ),
            Panel(
                id=16,
                kind="table",
                title=Words("Versions qui tournent", "Versions that run"),
                answers=Words(
                    "La version de chaque processus. Deux versions d'un même : un déploiement inachevé.",
                    "Each process's version. Two of one: a deployment that was not finished.",
                ),
                keys={"process": Words("Processus", "Process"), "version": Words("Version", "Version")},
                columns=(Column(title=Words("Instances", "Instances"), of="process_info"),),
                queries=(Query("count by (process, version) (process_info)"),),
                moved_by=DOOR | faults("collectors-dead", "gatewayd-dead"),
            ),
        ),
    ),
)
