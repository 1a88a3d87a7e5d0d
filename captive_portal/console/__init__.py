"""The staff's console: one process at the centre, which speaks to every site's management API."""
