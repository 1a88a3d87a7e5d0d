"""The bill of materials (CycloneDX 1.5, JSON) of a folder of installed packages: ``sbom.py FOLDER VERSION``."""

import json
import sys
from importlib.metadata import distributions

folder, version = sys.argv[1:]
components = [
    {
        "type": "library",
        "name": found.name,
        "version": found.version,
        "purl": f"pkg:pypi/{found.name.lower().replace('_', '-')}@{found.version}",
    }
    for found in sorted(distributions(path=[folder]), key=lambda found: found.name.lower())
    if found.name != "parvis"
]
about = {"type": "application", "name": "parvis", "version": version, "licenses": [{"license": {"id": "EUPL-1.2"}}]}
print(
    json.dumps(
        {
            "bomFormat": "CycloneDX",
            "specVersion": "1.5",
            "version": 1,
            "metadata": {"component": about},
            "components": components,
        },
        indent=1,
    )
)
