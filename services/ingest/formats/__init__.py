"""The wire formats: each turns the bytes of a request into submissions. FORMATS is their registry.

A format knows neither FastAPI, Redis nor settings. To add one: its module here, a line in
FORMATS, its golden folder, its heading in docs/channels.md.
"""

from collections.abc import Mapping

from services.ingest.formats import cloudevents, submissions
from services.ingest.formats.format import Format
from services.ingest.formats.openrosa import message as openrosa_message
from services.ingest.formats.openrosa import submission as openrosa
from services.ingest.formats.senders import by_path_key

FORMATS: Mapping[str, Format] = {
    wire_format.path: wire_format
    for wire_format in (
        Format("submissions", "/v1/submissions", submissions.parse),
        Format("events", "/v1/events", cloudevents.parse),
        Format(
            "openrosa",
            "/v1/key/{key}/submission",
            openrosa.parse,
            identify=by_path_key,
            reply=openrosa_message.reply,
        ),
    )
}
