"""What several tests of the dashboards share."""

from playing import play

__all__ = ["play"]
