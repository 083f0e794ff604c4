"""Works the day tallies out anew from the responses and replaces the old ones.

That is one transaction. The same function adds them up that counting uses, so the rows come out the
same to the last bit. Running it again changes nothing. Ingest and readers go on; counting waits
until it is over (shared/storage/tallies/tally_rebuild.py), 14 s for a million responses on two
cores, and then takes up what came meanwhile.

An OPD whose responses cannot be added up keeps its old tallies, and is reported; the others do not
wait for it. The registry needs no lock: what is in the responses was committed before counting was
blocked, and a questionnaire that has been answered never changes.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

import numpy as np
import sqlalchemy as sa

from services.aggregate.counting.columns import int_column, numbered
from services.aggregate.counting.recovery import Cause, cause_of
from services.aggregate.counting.tally import tally
from shared.domain.errors import IkmError
from shared.domain.questionnaire import Questionnaire
from shared.domain.respondent import profile_code
from shared.progress import Progress, untold
from shared.registry.snapshot import Registry
from shared.storage.cursor import Cursor, open_cursor
from shared.storage.engine import transaction
from shared.storage.registry import stored_registry
from shared.storage.responses import Place
from shared.storage.tallies import tally_rebuild
from shared.storage.tallies.day_tally import Deltas
from shared.storage.tallies.tally_rebuild import StoredResponse

log = logging.getLogger(__name__)

CHUNK = 20_000  # responses in memory at a time


class UnknownQuestionnaire(IkmError, LookupError):
    """Responses answer a questionnaire that the registry does not have."""


class Rebuilt(NamedTuple):
    """What a rebuild did."""

    responses: int  # added up
    changed: int  # rows of day_tally that were wrong
    opd: int  # to be refreshed
    left_out: Sequence[str] = ()  # OPDs whose responses cannot be added up, and why


def rebuild(engine: sa.Engine, progress: Progress = untold) -> Rebuilt:
    """Rebuild all day tallies. Raises what the database raises; nothing is changed then."""
    with transaction(engine) as connection:
        cursor = open_cursor(connection)
        total = tally_rebuild.count_responses(cursor)
        tally_rebuild.block_counting(cursor)
        tally_rebuild.create_rebuilt_table(cursor)
        registry = stored_registry.load(connection)
        done = 0
        left_out: dict[str, str] = {}
        for chunk in tally_rebuild.stored_responses(cursor, CHUNK):
            for opd, responses in groupby(chunk, key=attrgetter("opd")):
                if opd not in left_out and (
                    reason := _failure(connection, cursor, list(responses), registry)
                ):
                    left_out[opd] = reason
            done += len(chunk)
            progress(done, max(total, done))
        if left_out:
            tally_rebuild.keep_tallies(cursor, list(left_out))
        changed = tally_rebuild.replace_tallies(cursor)
        opds = tally_rebuild.mark_all_stale(cursor)
    reasons = tuple(f"{opd}: {reason}" for opd, reason in sorted(left_out.items()))
    return Rebuilt(done, changed, opds, reasons)


def _failure(
    connection: sa.Connection,
    cursor: Cursor,
    responses: Sequence[StoredResponse],
    registry: Registry,
) -> str | None:
    """Add responses of one OPD to the new tallies; return why that cannot be done."""
    try:
        with connection.begin_nested():
            for deltas in _deltas(responses, registry.questionnaires):
                tally_rebuild.add_deltas(cursor, deltas)
    except Exception as error:
        if cause_of(error) is not Cause.FAULT:
            raise
        log.exception("an OPD cannot be rebuilt", extra={"opd": responses[0].opd})
        return f"{type(error).__name__} {error}"
    return None


def _deltas(
    chunk: Sequence[StoredResponse], questionnaires: Mapping[str, Questionnaire]
) -> Iterator[Deltas]:
    by_questionnaire: dict[str, list[StoredResponse]] = {}
    for response in chunk:
        by_questionnaire.setdefault(response.questionnaire, []).append(response)
    for code, responses in by_questionnaire.items():
        if code not in questionnaires:
            raise UnknownQuestionnaire(code)
        places, place_index = numbered([_place(response) for response in responses])
        digits = "".join(response.scores for response in responses).encode()
        yield tally(
            questionnaires[code],
            places,
            place_index,
            int_column(map(_profile, responses)),
            np.frombuffer(digits, dtype=np.uint8).reshape(len(responses), -1),
        )


def _place(response: StoredResponse) -> Place:
    return Place(
        response.opd, response.layanan, response.day, response.questionnaire, response.channel
    )


def _profile(response: StoredResponse) -> int:
    return profile_code(response.sex, response.age, response.education, response.occupation)
