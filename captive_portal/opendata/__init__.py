"""Open data: what the town publishes about its Wi-Fi, so that nobody can be recognised in it."""
