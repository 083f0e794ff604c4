"""The channels: each turns the bytes of one wire format into submissions. The registry of channels is the one below.

A channel knows neither FastAPI, Redis nor settings. To add one: its module here, a line in
CHANNELS, its golden folder, its heading in docs/channels.md.
"""

from collections.abc import Mapping

from services.ingest.formats import cloudevents, submissions
from services.ingest.formats.format import Channel

CHANNELS: Mapping[str, Channel] = {
    channel.path: channel
    for channel in (
        Channel("submissions", "/v1/submissions", submissions.parse),
        Channel("events", "/v1/events", cloudevents.parse),
    )
}
