"""The public status page: static, without script, for everybody; it names places, never persons or devices."""
