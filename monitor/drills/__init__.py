"""Drills: the town breaks in virtual time, the monitor's real decisions are what is examined."""
