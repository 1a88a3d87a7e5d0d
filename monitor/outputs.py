"""What the monitor draws from the town, for ``parvis plan`` to compare: whom it asks."""

import yaml

from monitor.targets import targets
from parvis.inventory import Town


def outputs(town: Town) -> dict[str, str]:
    """``centre/monitor-targets.yml``: every target, its address, and what it stands behind."""
    listed = [
        {
            "name": target.name,
            "kind": target.kind.value,
            "site": target.site,
            "address": str(target.address),
            "behind": list(target.parents),
        }
        for target in targets(town)
    ]
    return {"centre/monitor-targets.yml": yaml.safe_dump(listed, sort_keys=False, allow_unicode=True)}
