"""What ODK Collect and KoboCollect are set up with: their settings as the text of a QR code.

Base64 of zlib of JSON (ODK documentation, "Importing and exporting settings").
"""

import base64
import json
import zlib
from typing import Any, Final

_COLOUR: Final = "#0a6c74"


def settings_of(base: str, key: str, project: str) -> dict[str, Any]:
    """Return the settings: forms follow the server, and what was sent leaves the tablet."""
    return {
        "general": {
            "protocol": "odk_default",
            "server_url": f"{base}/v1/key/{key}",
            "form_update_mode": "match_exactly",
            "autosend": "wifi_and_cellular",
            "delete_send": True,
        },
        "admin": {},
        "project": {"name": project, "icon": project[:1].upper() or "I", "color": _COLOUR},
    }


def qr_text(settings: dict[str, Any]) -> str:
    """Return the text of the QR code."""
    return base64.b64encode(zlib.compress(json.dumps(settings).encode(), level=9)).decode()
