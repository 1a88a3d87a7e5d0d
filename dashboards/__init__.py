"""The windows: alert rules, routes and scrape targets, all generated from the inventory and the catalogue."""
