"""For each alert, series that make it fire and series that do not."""

SITE = 'town="cachan", site="leo-lagrange"'
SAMPLES = 1000
"""Of 15 s each: longer than any alert waits."""
STEPS_SECONDS = {"MicrologicielAncien": 3600, "UsageAnormal": 3600, "SeriesDisparues": 300, "BorneZombie": 900}
"""Between two samples, where days must pass; 15 s elsewhere."""
NEEDED_SECONDS = {
    "PreuvesPerdues": 15,
    "PointsPerdus": 15,
    "PortailBudgetRapide": 60,
    "PortailBudgetLent": 120,
    "PortailErreursFaibleVolume": 900,
    "EntonnoirCasse": 300,
    "NotificationsEnEchec": 60,
    "RadarDFS": 120,
    "SeriesDisparues": 2 * 86_400 + 600,
    "FileInfluxBloquee": 900,
    "UsageAnormal": 29 * 86_400,
    "BorneZombie": 701 * 900,
    "LienSature": 600,
    "ErreursInterface": 600,
    "BorneRedemarre": 120,
}
"""What must have happened before there is something to wait for."""

OF_PROMETHEUS = ("prometheus_rule_evaluation_failures_total", "ALERTS")
TURNED = f'uplink_turned_timestamp_seconds{{{SITE}, uplink="fibre-lagrange"}}'
"""What a visit has found is not judged for two minutes after."""
Case = tuple[str | dict[str, str], str, dict[str, str]]
CASES: dict[str, Case] = {
    # alert: (series, values that fire / that do not, as "firing|silent"; labels of the firing alert beside the rule's)
    # or several series, each with its values
    "SupervisionIsolee": ('monitor_isolated{town="cachan"}', "1|0", {}),
    "LienCoupe": (f'uplink_up{{{SITE}, uplink="fibre-lagrange"}}', "0|1", {"uplink": "fibre-lagrange"}),
    "PasserelleMuette": (f'gateway_up{{{SITE}, device="gw-lagrange"}}', "0|1", {"device": "gw-lagrange"}),
    "CommutateurMuet": (f'switch_up{{{SITE}, device="sw-lagrange"}}', "0|1", {"device": "sw-lagrange"}),
    "BorneMuette": (f'ap_up{{{SITE}, device="ap-lagrange-tribune"}}', "0|1", {"device": "ap-lagrange-tribune"}),
    "CollecteurMuet": ('snmp_data_age_seconds{town="cachan"}', "91|90", {}),
    "MoniteurMuet": ('up{job="monitor", town="cachan"}', "0|1", {"job": "monitor"}),
    "CertificatBientotFini": (f"portal_certificate_remaining_seconds{{{SITE}}}", "1814399|1814400", {}),
    "AdressesPresqueEpuisees": (f"gateway_pool_used_ratio{{{SITE}}}", "0.91|0.9", {}),
    "VilleCoupee": (
        {
            'uplink_up{site="a"}': "0|0",
            'uplink_up{site="b"}': "0|1",
            'uplink_up{site="c"}': "1|1",
        },
        "",
        {},
    ),
    "CollecteMassiveEnEchec": (
        {f'snmp_up{{device="{n}"}}': "0|1" if n < 3 else "1|1" for n in range(5)} | {'uplink_up{site="a"}': "1|1"},
        "",
        {},
    ),
    "ReglesEnErreur": ("prometheus_rule_evaluation_failures_total", "0+1|0", {}),
    "InfluxMuet": ("influx_up", "0|1", {}),
    "PointsPerdus": ('influx_lines_total{outcome="dropped"}', "0+5|7", {}),
    "ServicePasserelleArrete": (f'up{{{SITE}, job="portal"}}', "0|1", {"job": "portal"}),
    "PareFeuAbsent": (f"gateway_ruleset_up{{{SITE}}}", "0|1", {}),
    "PortailSansPasserelle": (f"portal_gateway_up{{{SITE}}}", "0|1", {}),
    "BailsIllisibles": (f"gateway_lease_file_up{{{SITE}}}", "0|1", {}),
    "BasePartageeMuette": (f"portal_shared_up{{{SITE}}}", "0|1", {}),
    "PortailBudgetRapide": (
        {'portal_http_responses_total{code="2xx"}': "0+50|0+50", 'portal_http_responses_total{code="5xx"}': "0+10|0+3"},
        "",
        {},
    ),
    "PortailBudgetLent": (
        {'portal_http_responses_total{code="2xx"}': "0+60|0+110", 'portal_http_responses_total{code="5xx"}': "0+2|0+1"},
        "",
        {},
    ),
    "PortailErreursFaibleVolume": (
        {'portal_errors_total{reason="store"}': "0+1|0+1", 'portal_http_responses_total{code="5xx"}': "0+1|0+9"},
        "",
        {},
    ),
    "EntonnoirCasse": (
        {
            f'portal_funnel_total{{{SITE}, step="accepted"}}': "0+1|0+1",
            f'portal_funnel_total{{{SITE}, step="first-byte"}}': "0+0.5|0+0.8",
        },
        "",
        {},
    ),
    "InternetCoupe": (
        {
            f'uplink_target_up{{{SITE}, target="203.0.113.53"}}': "0|0",
            f'uplink_target_up{{{SITE}, target="203.0.113.80"}}': "0|1",
        },
        "",
        {},
    ),
    "DHCPEpuise": (f"gateway_pool_used_ratio{{{SITE}}}", "0.99|0.98", {}),
    "CertificatExpire": (f"portal_certificate_remaining_seconds{{{SITE}}}", "604799|604800", {}),
    "AppareilVuDeuxFois": (f"gateway_seen_twice_total{{{SITE}}}", "0+1|3", {}),
    "LienDegrade": (
        f'icmp_loss_ratio{{{SITE}, kind="uplink", target="fibre-lagrange"}}',
        "0.21|0.2",
        {"kind": "uplink", "target": "fibre-lagrange"},
    ),
    "LienLent": (
        f'icmp_loss_ratio{{{SITE}, kind="uplink", target="fibre-lagrange"}}',
        "0.06|0.05",
        {"kind": "uplink", "target": "fibre-lagrange"},
    ),
    "LienInstable": (
        f'flapping{{{SITE}, kind="uplink", subject="fibre-lagrange"}}',
        "1|0",
        {"kind": "uplink", "subject": "fibre-lagrange"},
    ),
    "CertificatPerime": (f"portal_certificate_remaining_seconds{{{SITE}}}", "0|1", {}),
    "DNSMuet": (
        {f'visitor_step_success{{{SITE}, step="dns"}}': "0|0", TURNED: "-1000|0+15"},
        "",
        {"step": "dns"},
    ),
    "DNSLent": (f'visitor_step_seconds{{{SITE}, step="dns"}}', "0.51|0.5", {"step": "dns"}),
    "RadarDFS": (
        f'wifi_radio_channel{{{SITE}, device="ap-1", radio="r0", band="5GHz"}}',
        "36 52 36 52 36 52|36",
        {"device": "ap-1", "radio": "r0", "band": "5GHz"},
    ),
    "MicrologicielAncien": (
        {
            'device_info{device="a", vendor="Aruba", model="AP-505", version="8.1"}': "1|1",
            'device_info{device="b", vendor="Aruba", model="AP-505", version="8.2"}': "1|_",
        },
        "",
        {"vendor": "Aruba", "model": "AP-505"},
    ),
    "UsageAnormal": (
        {f"site_clients{{{SITE}}}": "100x695 29x300|100x695 31x300", f"site_open{{{SITE}}}": "1|1"},
        "",
        {},
    ),
    "ServiceCommunEnPanne": (
        {f'visitor_success{{site="{n}"}}': "0|0" if n < "c" else "1|1" for n in "abc"}
        | {f'visitor_step_success{{site="{n}", step="dns"}}': "0|0" if n < "c" else "1|1" for n in "abc"}
        | {f'uplink_up{{site="{n}"}}': "1|0" if n == "a" else "1|1" for n in "abc"},
        "",
        {},
    ),
    "CoupureSecteur": (f'mains_up{{{SITE}, device="ups-1"}}', "0|1", {"device": "ups-1"}),
    "SeriesDisparues": (
        {
            'snmp_up{device="a"}': "1|1",
            'snmp_up{device="b"}': "1x576 _x400|1",
            "inventory_polled_devices": "2|2",
        },
        "",
        {},
    ),
    "HorlogeDecalee": (
        'clock_timestamp_seconds{job="portal", device="gw-1"}',
        "1.1+15|1+15",
        {"job": "portal", "device": "gw-1"},
    ),
    "DisquePlein": (
        {
            'state_disk_free_bytes{job="portal", device="gw-1"}': "4|5",
            'state_disk_size_bytes{job="portal", device="gw-1"}': "100|100",
        },
        "",
        {"job": "portal", "device": "gw-1"},
    ),
    "FileInfluxBloquee": (
        {"influx_spool_lines": "5|5", 'influx_lines_total{outcome="written"}': "7|0+1"},
        "",
        {},
    ),
    "NotificationsEnEchec": (
        'oncall_messages_total{channel="sms", result="failed"}',
        "0+1|0 1 2 2 2",
        {"channel": "sms"},
    ),
    "CreditSMSBas": ('oncall_sms_credits{channel="sms"}', "49|50", {"channel": "sms"}),
    "TopologieDiffere": (
        f'topology_disagreements{{{SITE}, device="sw-lagrange"}}',
        "1|0",
        {"device": "sw-lagrange"},
    ),
    "SLAMoisMenace": (
        f'uplink_allowance_used_ratio{{{SITE}, uplink="fibre-lagrange"}}',
        "0.71|0.7",
        {"uplink": "fibre-lagrange"},
    ),
    "LienSature": (
        f'port_receive_bytes_total{{{SITE}, device="sw-lagrange", port="25"}}',
        "0+900000000|0+800000000",
        {"device": "sw-lagrange", "port": "25"},
    ),
    "ErreursInterface": (
        f'port_receive_errors_total{{{SITE}, device="sw-lagrange", port="25"}}',
        "0+2|0+1",
        {"device": "sw-lagrange", "port": "25"},
    ),
    "BudgetPoE": (
        {
            f'poe_consumption_watts{{{SITE}, device="sw-lagrange", group="1"}}': "91|90",
            f'poe_budget_watts{{{SITE}, device="sw-lagrange", group="1"}}': "100|100",
        },
        "",
        {"device": "sw-lagrange", "group": "1"},
    ),
    "SitePresqueSansBorne": (
        {
            f'ap_up{{{SITE}, device="a"}}': "0|0",
            f'ap_up{{{SITE}, device="b"}}': "0|1",
            f'ap_up{{{SITE}, device="c"}}': "1|1",
        },
        "",
        {},
    ),
    "BorneRedemarre": (
        f'device_uptime_seconds{{{SITE}, device="ap-lagrange-tribune"}}',
        "9 1 9 1 9 1 9 1|0+15",
        {"device": "ap-lagrange-tribune"},
    ),
    "BorneZombie": (
        {
            f'wifi_ap_clients{{{SITE}, device="ap-1"}}': "8x700 0x300|0",
            f"site_clients{{{SITE}}}": "21|30",
        },
        "",
        {"device": "ap-1"},
    ),
    "AirSature": (
        f'wifi_radio_channel_utilization_ratio{{{SITE}, device="ap-1", radio="r0", band="5", part="total"}}',
        "0.81|0.8",
        {"device": "ap-1", "radio": "r0", "band": "5", "part": "total"},
    ),
    "MargeOptiqueFaible": (
        f'optical_margin_db{{{SITE}, device="sw-lagrange", port="25", which="rx_low_warn"}}',
        "-0.1|0",
        {"device": "sw-lagrange", "port": "25", "which": "rx_low_warn"},
    ),
    "DeriveOptique": (
        f'optical_drift_db{{{SITE}, device="sw-lagrange", port="25", direction="rx"}}',
        "-3.1|-3",
        {"device": "sw-lagrange", "port": "25", "direction": "rx"},
    ),
    "FinDeMargePrevue": (
        f'optical_low_warning_remaining_seconds{{{SITE}, device="sw-lagrange", port="25"}}',
        "2591999|2592000",
        {"device": "sw-lagrange", "port": "25"},
    ),
    "ModuleChaud": (
        f'optical_temperature_celsius{{{SITE}, device="sw-lagrange", port="25"}}',
        "71|70",
        {"device": "sw-lagrange", "port": "25"},
    ),
    "VentilateurEnPanne": (
        f'device_fan_up{{{SITE}, device="sw-lagrange", fan="Fan 1"}}',
        "0|1",
        {"device": "sw-lagrange", "fan": "Fan 1"},
    ),
    "AlimentationEnPanne": (
        f'device_power_supply_up{{{SITE}, device="sw-lagrange", supply="Power Supply 2"}}',
        "1 0x999|0",
        {"device": "sw-lagrange", "supply": "Power Supply 2"},
    ),
    "VisiteurTestEnEchec": ({f"visitor_success{{{SITE}}}": "0|0", TURNED: "-1000|0+15"}, "", {}),
    "VisiteurTestMuet": (f"visitor_last_report_timestamp_seconds{{{SITE}}}", "-1000|99999", {}),
    "EquipementIndesirable": (
        f'guest_hazard_devices{{{SITE}, hazard="rogue-dhcp"}}',
        "1|0",
        {"hazard": "rogue-dhcp"},
    ),
    "SupervisionAveugle": (
        f'reachability_state{{{SITE}, subject="fibre-lagrange", kind="uplink", state="unknown"}}',
        "1|0",
        {},
    ),
    "PreuvesNonEcrites": (f"evidence_write_up{{{SITE}}}", "0|1", {}),
    "EnregistreurMuet": (
        {
            f'up{{{SITE}, job="evidence"}}': "0|0",
            f"evidence_write_up{{{SITE}}}": "1|1",
            f'gateway_up{{{SITE}, device="gw-lagrange"}}': "1|0",
        },
        "",
        {"job": "evidence"},
    ),
    "PreuvesNonCollectees": (
        {f"archive_collected_timestamp_seconds{{{SITE}}}": "-1000|-1000", f"uplink_up{{{SITE}}}": "1|0"},
        "",
        {},
    ),
    "PreuvesPerdues": (f'evidence_lost_total{{{SITE}, source="sets"}}', "0+5|7", {}),
    "LacunePreuves": ({f"gateway_admitted_sessions{{{SITE}}}": "3|3", f"evidence_sessions{{{SITE}}}": "0|3"}, "", {}),
    "HorlogePreuves": (f"evidence_clock_synchronised{{{SITE}}}", "0|1", {}),
    "ChaineRompue": (f"archive_chain_broken{{{SITE}}}", "1|0", {}),
    "ReservePreuvesEntamee": (f"evidence_reserve_held{{{SITE}}}", "0|1", {}),
    "InjonctionBientotFinie": (f"evidence_injunction_days_left{{{SITE}}}", "29|30", {}),
    "EffacementEnRetard": ('archive_overdue_days{store="A"}', "1|0", {}),
    "EffacementRefuse": (f"evidence_erasing_refused_days{{{SITE}}}", "3|0", {}),
    "EffacementRefusePortail": (f"portal_erasing_refused_proofs{{{SITE}}}", "3|0", {}),
    "EffacementRefuseArchive": ("archive_erasing_refused_days", "3|0", {}),
    "EffacementRefuseConsole": ("console_erasing_refused_files", "3|0", {}),
    "HorlogeReglee": (f"evidence_clock_steps_total{{{SITE}}}", "0+5|7", {}),
}
