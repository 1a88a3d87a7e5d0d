"""Simulated SNMP devices: a deterministic model, vendors' tables, and a v2c/v3 responder on pysnmp's lower layers."""
