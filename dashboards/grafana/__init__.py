"""Grafana's dashboards from the panel catalogue: the only place that knows how Grafana writes them."""
