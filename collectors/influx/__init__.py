"""Samples to InfluxDB: as line protocol, through a spool on disk, so that an outage of the server loses nothing."""
