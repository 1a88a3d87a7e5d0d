"""Ports of the programs beside ours that the firewall and the roles both name."""

SSH, PROXY, DATABASE, JOURNAL, SNMP_TRAP, GRAFANA = 22, 443, 5432, 19532, 162, 3000
