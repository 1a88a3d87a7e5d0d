"""Simulated SNMP devices: a deterministic model, vendors' tables or recorded walks, faults, and v1, v2c and v3."""
