"""The tables. Codes (opd, layanan, channel, questionnaire) are text: rows need no joins."""

from shared.storage.tables.breakdowns import released_breakdown
from shared.storage.tables.counting import (
    former_receipt,
    inbox_entry,
    inbox_horizon,
    ledger,
    parked,
    receipt,
    response,
)
from shared.storage.tables.figures import day_tally, opd_state, rolling_ikm
from shared.storage.tables.imports import import_file, import_piece, import_refusal
from shared.storage.tables.metadata import metadata
from shared.storage.tables.registry import (
    access_key,
    channel,
    channel_secret,
    installation,
    instansi,
    layanan,
    opd,
    questionnaire,
    registry_version,
)
from shared.storage.tables.released import released_ikm, released_tally
from shared.storage.tables.tickets import ticket_batch

__all__ = [
    "access_key",
    "channel",
    "channel_secret",
    "day_tally",
    "former_receipt",
    "import_file",
    "import_piece",
    "import_refusal",
    "inbox_entry",
    "inbox_horizon",
    "installation",
    "instansi",
    "layanan",
    "ledger",
    "metadata",
    "opd",
    "opd_state",
    "parked",
    "questionnaire",
    "receipt",
    "registry_version",
    "released_breakdown",
    "released_ikm",
    "released_tally",
    "response",
    "rolling_ikm",
    "ticket_batch",
]
