"""A gateway twin whose site can be asked by staff, from the centre."""

import json
from pathlib import Path

from door_twin import Twin

from parvis.processes import MANAGEMENT_PORT

TOKEN = "canary-management-token-0123456789abcdef"


class StaffedTwin(Twin):
    """The management API is served under the portal's own certificate."""

    def _settings(self, name: str, **more: object) -> Path:
        if name == "portal":
            (self.folder / "secrets" / "management-token").write_text(TOKEN)
            more |= self.management()
        return super()._settings(name, **more)

    def management(self) -> dict[str, object]:
        """The portal's settings for its management API."""
        key = str(self.certificate.with_suffix(".key"))
        return {"management_certificate": str(self.certificate), "management_key": key}

    def staff(self, path: str, body: dict[str, object] | None = None) -> str:
        """What the management API says to the centre: to a GET, or to a POST of *body*; empty when it says nothing."""
        sent = () if body is None else ("-H", "Content-Type: application/json", "-d", json.dumps(body))
        url = f"https://{self.site.gateway.address}:{MANAGEMENT_PORT}{path}"
        shown = ("-H", f"Authorization: Bearer {TOKEN}", "--interface", "10.90.0.1", "--max-time", "8")
        return self.within("inet", "curl", "-skS", *shown, *sent, url, check=False)
