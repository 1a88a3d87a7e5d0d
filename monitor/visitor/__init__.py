"""The resident that is a program, at each site, every minute; and the watch over the residents' network."""
