"""Our own small SNMP core: BER, messages, USM, one socket, walks. It knows nothing of towns, devices or metrics."""
