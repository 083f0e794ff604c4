"""For every column and table: a change by hand and the check that notices it, or why none need.

`test_tampering.py` tries each, and tests/guards/test_tampering.py holds that none is missing.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Tampering(NamedTuple):
    """A change by hand, and the check that notices it (findings.Finding.check)."""

    check: str
    statement: str


_KEYS = "who may ask from now on: nothing that is counted or shown follows from it"
_LABEL = "a label: no figure follows from it"
_FORMER = "only for senders who ask with a receipt of an earlier version: nothing is counted by it"
_HORIZON = "the next fold leaves it anew; one of no life is asked of no entry"
_TICKETS = "which serials the next tickets get: what is counted carries its own"
_IMPORTS = (
    "a file on its way to the inbox, and the report on it: what came out of it is counted there"
)
_FROM_NOW_ON = "decides what is accepted from now on; what is counted carries its own"

OF_NO_CONSEQUENCE: Mapping[str, str] = {
    "instansi.code": _LABEL,
    "instansi.name": _LABEL,
    "opd.name": _LABEL,
    "opd.official_code": _LABEL,
    "opd.ticket_required": _FROM_NOW_ON,
    "opd.successor": "a hint for people, where an OPD went: no figure follows from it",
    "layanan.name": _LABEL,
    "layanan.questionnaire": _FROM_NOW_ON,
    "channel.kind": "what may come in from now on, and which figures are called verified",
    "channel.opd": _FROM_NOW_ON,
    "channel.valid_from": _FROM_NOW_ON,
    "channel.valid_to": _FROM_NOW_ON,
    "channel.settings": _FROM_NOW_ON,
    "channel_secret.channel": _KEYS,
    "channel_secret.name": _KEYS,
    "channel_secret.secret": _KEYS,
    "channel_secret.set_at": _KEYS,
    "access_key.id": _KEYS,
    "access_key.channel": _KEYS,
    "access_key.hash": _KEYS,
    "access_key.label": _KEYS,
    "access_key.created_at": _KEYS,
    "access_key.revoked_at": _KEYS,
    "access_key.name": _KEYS,
    "access_key.may_submit": _KEYS,
    "access_key.may_read": _KEYS,
    "access_key.opd": _KEYS,
    "installation.single": "PostgreSQL refuses every other value",
    "former_receipt.former": _FORMER,
    "former_receipt.receipt": _FORMER,
    "import_file.import": _IMPORTS,
    "import_file.channel": _IMPORTS,
    "import_file.options": _IMPORTS,
    "import_file.state": _IMPORTS,
    "import_file.reason": _IMPORTS,
    "import_file.detail": _IMPORTS,
    "import_file.assumed": _IMPORTS,
    "import_file.bytes": _IMPORTS,
    "import_file.read_bytes": _IMPORTS,
    "import_file.rows": _IMPORTS,
    "import_file.accepted": _IMPORTS,
    "import_file.refused": _IMPORTS,
    "import_file.tries": _IMPORTS,
    "import_file.holder": _IMPORTS,
    "import_file.held_until": _IMPORTS,
    "import_file.created_at": _IMPORTS,
    "import_file.finished_at": _IMPORTS,
    "import_piece.import": _IMPORTS,
    "import_piece.number": _IMPORTS,
    "import_piece.content": _IMPORTS,
    "import_refusal.import": _IMPORTS,
    "import_refusal.line": _IMPORTS,
    "import_refusal.violations": _IMPORTS,
    "ticket_batch.first_serial": _TICKETS,
    "ticket_batch.size": _TICKETS,
    "ticket_batch.opd": _TICKETS,
    "ticket_batch.layanan": _TICKETS,
    "ticket_batch.created_at": _TICKETS,
    "registry_version.single": "PostgreSQL refuses every other value",
    "registry_version.version": "the next change raises it above the time; no figure carries it",
    "response.comment": "free text: no figure follows from it, and its retention empties it",
    "inbox_entry.counted_at": "only the day into which a row is folded follows from it",
    "inbox_horizon.epoch": _HORIZON,
    "ledger.day": "for people who look when something was counted; the sums are over all days",
    "rolling_ikm.computed_at": "tells when; the figures are compared without it",
}

CHANGED: Mapping[str, Tampering] = {
    # --- the registry: only as far as what is counted leans on it ---
    "instansi.timezone": Tampering("response", "UPDATE instansi SET timezone = 'UTC'"),
    "instansi.primary_rollup": Tampering("rolling", "UPDATE instansi SET primary_rollup = 'mean'"),
    "instansi.scheme": Tampering("rolling", "UPDATE instansi SET scheme = '0.11'"),
    "questionnaire.code": Tampering(
        "response", "UPDATE questionnaire SET code = 'other' WHERE code = 'singkat'"
    ),
    "questionnaire.definition": Tampering(
        "tally",
        "UPDATE questionnaire SET definition = jsonb_set(definition, '{unsur,0,weight}', '2')"
        " WHERE code = 'singkat'",
    ),
    "opd.code": Tampering("rolling", "UPDATE opd SET code = 'other' WHERE code = 'dinkes'"),
    "opd.valid_from": Tampering(
        "response", "UPDATE opd SET valid_from = '2026-04-01' WHERE code = 'dinkes'"
    ),
    "opd.valid_to": Tampering(
        "response", "UPDATE opd SET valid_to = '2026-04-01' WHERE code = 'disdukcapil'"
    ),
    "layanan.opd": Tampering("response", "UPDATE layanan SET opd = 'dinkes' WHERE code = 'ktp-el'"),
    "layanan.code": Tampering("response", "UPDATE layanan SET code = 'ktp' WHERE code = 'ktp-el'"),
    "layanan.users_per_year": Tampering(
        "rolling", "UPDATE layanan SET users_per_year = 901 WHERE code = 'ktp-el'"
    ),
    "layanan.valid_from": Tampering(
        "response", "UPDATE layanan SET valid_from = '2026-04-01' WHERE code = 'puskesmas'"
    ),
    "layanan.valid_to": Tampering(
        "response", "UPDATE layanan SET valid_to = '2026-04-01' WHERE code = 'ktp-el'"
    ),
    "channel.name": Tampering("response", "UPDATE channel SET name = 'x' WHERE name = 'kiosk'"),
    "installation.secret": Tampering("identity", "UPDATE installation SET secret = sha256('x')"),
    # --- who sent what ---
    "receipt.receipt": Tampering(
        "receipts", "UPDATE receipt SET receipt = gen_random_uuid() WHERE source_id = 'may-3'"
    ),
    "receipt.channel": Tampering(
        "identity", "UPDATE receipt SET channel = 'kiosk' WHERE source_id = 'may-3'"
    ),
    "receipt.source_id": Tampering(
        "identity", "UPDATE receipt SET source_id = 'may-x' WHERE source_id = 'may-3'"
    ),
    "receipt.received_at": Tampering(
        "receipts",
        "UPDATE receipt SET received_at = received_at + interval '1 s' WHERE state = 'parked'",
    ),
    "receipt.state": Tampering(
        "receipts", "UPDATE receipt SET state = 'parked' WHERE source_id = 'may-3'"
    ),
    "receipt.reason": Tampering(
        "receipts", "UPDATE receipt SET reason = 'x' WHERE source_id = 'nowhere'"
    ),
    "receipt.digest": Tampering(
        "identity", "UPDATE receipt SET digest = digest + 1 WHERE reason = 'id-conflict'"
    ),
    "response.receipt": Tampering(
        "receipts", "UPDATE response SET receipt = gen_random_uuid() WHERE layanan = 'lab'"
    ),
    "response.opd": Tampering("tally", "UPDATE response SET opd = 'dinkes' WHERE layanan = 'kk'"),
    "response.layanan": Tampering(
        "tally", "UPDATE response SET layanan = 'ktp-el' WHERE layanan = 'kk'"
    ),
    "response.day": Tampering("response", "UPDATE response SET day = day - 1 WHERE layanan = 'kk'"),
    "response.answered_at": Tampering(
        "response",
        "UPDATE response SET answered_at = answered_at + interval '1 day' WHERE layanan = 'kk'",
    ),
    "response.questionnaire": Tampering(
        "response", "UPDATE response SET questionnaire = 'singkat' WHERE layanan = 'kk'"
    ),
    "response.scores": Tampering(
        "response", "UPDATE response SET scores = scores || '4' WHERE layanan = 'kk'"
    ),
    "response.sex": Tampering("response", "UPDATE response SET sex = 'X' WHERE layanan = 'kk'"),
    "response.age": Tampering("response", "UPDATE response SET age = 121 WHERE layanan = 'kk'"),
    "response.education": Tampering(
        "response", "UPDATE response SET education = 'TK' WHERE layanan = 'kk'"
    ),
    "response.occupation": Tampering(
        "response", "UPDATE response SET occupation = 'X' WHERE layanan = 'kk'"
    ),
    "response.channel": Tampering(
        "receipts", "UPDATE response SET channel = 'kiosk' WHERE layanan = 'kk'"
    ),
    "response.point": Tampering(
        "response", "UPDATE response SET point = 'di sini' WHERE layanan = 'kk'"
    ),
    "parked.receipt": Tampering("receipts", "UPDATE parked SET receipt = gen_random_uuid()"),
    "parked.channel": Tampering("receipts", "UPDATE parked SET channel = 'kiosk'"),
    "parked.source_id": Tampering("receipts", "UPDATE parked SET source_id = source_id || 'x'"),
    "parked.received_at": Tampering(
        "receipts", "UPDATE parked SET received_at = received_at - interval '1 us'"
    ),
    "parked.reason": Tampering("receipts", "UPDATE parked SET reason = 'x' WHERE reason <> 'x'"),
    "parked.violations": Tampering("receipts", "UPDATE parked SET violations = '[]'"),
    "parked.body": Tampering("identity", "UPDATE parked SET body = body || 'x'"),
    "parked.tries": Tampering("receipts", "UPDATE parked SET tries = 0 WHERE tries > 0"),
    "parked.tried_at": Tampering("receipts", "UPDATE parked SET tried_at = NULL WHERE tries > 0"),
    "parked.emptied_at": Tampering("receipts", "UPDATE parked SET emptied_at = now()"),
    # --- promise 3 ---
    "inbox_entry.entry": Tampering("accepted", "UPDATE inbox_entry SET entry = gen_random_uuid()"),
    "inbox_entry.epoch": Tampering("accepted", "UPDATE inbox_entry SET epoch = gen_random_uuid()"),
    "inbox_entry.stream_ms": Tampering(
        "accepted", "UPDATE inbox_entry SET stream_ms = stream_ms + 1000000"
    ),
    "inbox_entry.stream_seq": Tampering(
        "accepted",
        "UPDATE inbox_entry SET stream_seq = stream_seq + 1"
        " WHERE stream_ms = (SELECT max(stream_ms) FROM inbox_entry)",
    ),
    "inbox_horizon.stream_ms": Tampering(
        "horizon", "UPDATE inbox_horizon SET stream_ms = stream_ms + 1000000"
    ),
    "inbox_horizon.stream_seq": Tampering(
        "horizon", "UPDATE inbox_horizon SET stream_seq = stream_seq + 1"
    ),
    "ledger.epoch": Tampering("accepted", "UPDATE ledger SET epoch = gen_random_uuid()"),
    # --- tallies and figures ---
    "day_tally.opd": Tampering("tally", "UPDATE day_tally SET opd = 'dinkes' WHERE layanan = 'kk'"),
    "day_tally.facet": Tampering(
        "tally", "UPDATE day_tally SET facet = 'age' WHERE facet = 'sex' AND layanan = 'kk'"
    ),
    "day_tally.layanan": Tampering(
        "tally", "UPDATE day_tally SET layanan = 'x' WHERE layanan = 'kk'"
    ),
    "day_tally.value": Tampering("tally", "UPDATE day_tally SET value = 'x' WHERE value = 'L'"),
    "day_tally.questionnaire": Tampering("tally", "UPDATE day_tally SET questionnaire = 'x'"),
    "day_tally.day": Tampering("tally", "UPDATE day_tally SET day = day - 400"),
    "day_tally.counts": Tampering("tally", "UPDATE day_tally SET counts[3] = counts[3] + 1"),
    "opd_state.opd": Tampering("rolling", "UPDATE opd_state SET opd = 'x' WHERE opd = 'dinkes'"),
    "opd_state.version": Tampering("state", "UPDATE opd_state SET version = version - 1"),
    "opd_state.past_version": Tampering("state", "UPDATE opd_state SET past_version = version + 1"),
    "opd_state.refreshed": Tampering("state", "UPDATE opd_state SET refreshed = refreshed + 1"),
    "opd_state.closed_to": Tampering("state", "UPDATE opd_state SET closed_to = as_of"),
    "opd_state.releases": Tampering("state", "UPDATE opd_state SET releases = -1"),
    "opd_state.past_releases": Tampering(
        "state", "UPDATE opd_state SET past_releases = releases + 1"
    ),
    "opd_state.as_of": Tampering("rolling", "UPDATE opd_state SET as_of = as_of - 1"),
    "rolling_ikm.opd": Tampering(
        "rolling", "UPDATE rolling_ikm SET opd = 'x' WHERE opd = 'dinkes'"
    ),
    "rolling_ikm.layanan": Tampering(
        "rolling", "UPDATE rolling_ikm SET layanan = 'x' WHERE layanan = 'kk'"
    ),
    "rolling_ikm.window": Tampering(
        "rolling", "UPDATE rolling_ikm SET \"window\" = 'x' WHERE \"window\" = '7d'"
    ),
    "rolling_ikm.detail": Tampering(
        "rolling", "UPDATE rolling_ikm SET detail = detail || '{\"x\": 1}' WHERE opd = ''"
    ),
    "rolling_ikm.version": Tampering("state", "UPDATE rolling_ikm SET version = version + 1000"),
    "released_tally.opd": Tampering(
        "released", "UPDATE released_tally SET opd = 'dinkes' WHERE opd = 'disdukcapil'"
    ),
    "released_tally.period": Tampering(
        "released", "UPDATE released_tally SET period = '2026-02' WHERE part = 'pooled'"
    ),
    "released_tally.layanan": Tampering(
        "released", "UPDATE released_tally SET layanan = 'kk' WHERE part = 'released'"
    ),
    "released_tally.questionnaire": Tampering(
        "released", "UPDATE released_tally SET questionnaire = 'singkat' WHERE opd = 'disdukcapil'"
    ),
    "released_tally.part": Tampering(
        "released", "UPDATE released_tally SET part = 'left' WHERE part = 'candidate'"
    ),
    "released_tally.pool": Tampering(
        "released", "UPDATE released_tally SET pool = '2026-Q1' WHERE part = 'pooled'"
    ),
    "released_tally.counts": Tampering(
        "released", "UPDATE released_tally SET counts[3] = counts[3] + 1"
    ),
    "released_tally.steps": Tampering(
        "released", "UPDATE released_tally SET steps = steps + 10 WHERE part = 'released'"
    ),
    "released_tally.released_at": Tampering(
        "released", "UPDATE released_tally SET released_at = now() WHERE part = 'released'"
    ),
    "released_ikm.opd": Tampering(
        "released", "UPDATE released_ikm SET opd = 'x' WHERE opd = 'dinkes'"
    ),
    "released_ikm.layanan": Tampering(
        "released", "UPDATE released_ikm SET layanan = 'x' WHERE layanan = 'kk'"
    ),
    "released_ikm.window": Tampering(
        "released", "UPDATE released_ikm SET \"window\" = 'x' WHERE \"window\" = '3m'"
    ),
    "released_ikm.detail": Tampering(
        "released", "UPDATE released_ikm SET detail = detail || '{\"x\": 1}' WHERE opd = ''"
    ),
    "released_ikm.version": Tampering(
        "released", "UPDATE released_ikm SET version = version + 1000"
    ),
    "released_ikm.withheld": Tampering(
        "released", "UPDATE released_ikm SET withheld = NOT withheld WHERE opd = ''"
    ),
    **{
        f"released_tally.{column}": Tampering(
            "released", f"UPDATE released_tally SET {column} = {column} + 1"
        )
        for column in ("first", "last", "n", "complete", "total", "total_sq")
    },
    **{
        f"released_ikm.{column}": Tampering(
            "released", f"UPDATE released_ikm SET {column} = {value} WHERE {column} IS NOT NULL"
        )
        for column, value in (
            ("first", "first - 1"),
            ("last", "last + 1"),
            ("respondents", "respondents + 1"),
            ("ikm", "ikm - 0.01"),
            ("mutu", "'Z'"),
            ("ci_low", "NULL"),
            ("ci_high", "NULL"),
            ("scheme", "'0.11'"),
            ("released_at", "now()"),
        )
    },
    "released_breakdown.opd": Tampering(
        "breakdown", "UPDATE released_breakdown SET opd = 'dinkes' WHERE opd = 'disdukcapil'"
    ),
    "released_breakdown.period": Tampering(
        "breakdown", "UPDATE released_breakdown SET period = '2025-Q1' WHERE opd <> ''"
    ),
    "released_breakdown.facet": Tampering(
        "breakdown", "UPDATE released_breakdown SET facet = 'x' WHERE facet = 'sex'"
    ),
    "released_breakdown.steps": Tampering(
        "breakdown", "UPDATE released_breakdown SET steps = steps + 1"
    ),
    "released_breakdown.withheld": Tampering(
        "breakdown", "UPDATE released_breakdown SET withheld = '{x}'"
    ),
    "released_breakdown.parts": Tampering(
        "breakdown", "UPDATE released_breakdown SET parts = '{}' WHERE facet = 'sex'"
    ),
    "released_breakdown.cells": Tampering(
        "breakdown",
        """UPDATE released_breakdown SET cells = jsonb_set(cells, '{0,vector,2}', '7')
        WHERE facet = 'sex' AND opd <> '' AND jsonb_array_length(cells) > 0""",
    ),
    "released_breakdown.released_at": Tampering(
        "breakdown", "UPDATE released_breakdown SET released_at = NULL"
    ),
    **{
        f"{table}.{column}": Tampering("balance", f"UPDATE {table} SET {column} = {column} + 1")
        for table in ("inbox_entry", "ledger")
        for column in ("accepted", "counted", "duplicate", "parked")
    },
    **{
        f"day_tally.{column}": Tampering("tally", f"UPDATE day_tally SET {column} = {column} + 1")
        for column in ("n", "complete", "total", "total_sq")
    },
    **{
        f"rolling_ikm.{column}": Tampering(
            "rolling", f"UPDATE rolling_ikm SET {column} = {value} WHERE {column} IS NOT NULL"
        )
        for column, value in (
            ("first", "first - 1"),
            ("last", "last + 1"),
            ("respondents", "respondents + 1"),
            ("ikm", "ikm - 0.01"),
            ("mutu", "'Z'"),
            ("ci_low", "NULL"),
            ("ci_high", "NULL"),
            ("scheme", "'0.11'"),
        )
    },
}

REMOVED: Mapping[str, Tampering] = {
    "questionnaire": Tampering("response", "DELETE FROM questionnaire WHERE code = 'singkat'"),
    "opd": Tampering("rolling", "DELETE FROM opd WHERE code = 'dinkes'"),
    "layanan": Tampering("response", "DELETE FROM layanan WHERE code = 'lab'"),
    "channel": Tampering("response", "DELETE FROM channel WHERE name = 'kiosk'"),
    "instansi": Tampering("response", "DELETE FROM instansi"),
    "installation": Tampering("identity", "DELETE FROM installation"),
    "receipt": Tampering("receipts", "DELETE FROM receipt WHERE source_id = 'may-3'"),
    "response": Tampering("receipts", "DELETE FROM response WHERE layanan = 'lab'"),
    "parked": Tampering("receipts", "DELETE FROM parked WHERE reason = 'id-conflict'"),
    "inbox_entry": Tampering("accepted", "DELETE FROM inbox_entry WHERE accepted > 1"),
    "ledger": Tampering("accepted", "DELETE FROM ledger"),
    "day_tally": Tampering("tally", "DELETE FROM day_tally WHERE layanan = 'lab'"),
    "opd_state": Tampering("rolling", "DELETE FROM opd_state WHERE opd = 'dinkes'"),
    "rolling_ikm": Tampering("rolling", "DELETE FROM rolling_ikm WHERE opd = ''"),
    "released_breakdown": Tampering("breakdown", "DELETE FROM released_breakdown WHERE opd <> ''"),
    "released_tally": Tampering("released", "DELETE FROM released_tally WHERE part = 'pooled'"),
    "released_ikm": Tampering("released", "DELETE FROM released_ikm WHERE opd = 'disdukcapil'"),
}
REMOVED_WITHOUT_CONSEQUENCE: Mapping[str, str] = {
    "access_key": _KEYS,
    "channel_secret": _KEYS,
    "former_receipt": _FORMER,
    "inbox_horizon": _HORIZON,
    "ticket_batch": _TICKETS,
    "import_file": _IMPORTS,
    "import_piece": _IMPORTS,
    "import_refusal": _IMPORTS,
    "registry_version": "without it the version is 0; the next change makes it anew",
}
