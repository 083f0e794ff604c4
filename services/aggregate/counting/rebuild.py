"""Works the day tallies out anew from the responses and replaces the old ones.

That is one transaction. The same function adds them up that counting uses, so the rows come out the
same to the last bit. Running it again changes nothing. Ingest and readers go on; counting waits
until it is over (shared/storage/tallies/tally_rebuild.py), 14 s for a million responses on two
cores, and then takes up what came meanwhile.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import sqlalchemy as sa

from services.aggregate.counting.columns import int_column, numbered
from services.aggregate.counting.tally import tally
from shared.domain.errors import IkmError
from shared.domain.questionnaire import Questionnaire
from shared.domain.respondent import profile_code
from shared.progress import Progress, untold
from shared.storage.cursor import open_cursor
from shared.storage.engine import transaction
from shared.storage.registry import stored_registry
from shared.storage.responses import Place
from shared.storage.tallies import tally_rebuild
from shared.storage.tallies.day_tally import Deltas
from shared.storage.tallies.tally_rebuild import StoredResponse

CHUNK = 20_000  # responses in memory at a time


class UnknownQuestionnaire(IkmError):
    """Responses answer a questionnaire that the registry does not have."""


class Rebuilt(NamedTuple):
    """What a rebuild did."""

    responses: int  # added up
    changed: int  # rows of day_tally that were wrong
    opd: int  # to be refreshed


def rebuild(engine: sa.Engine, progress: Progress = untold) -> Rebuilt:
    """Rebuild all day tallies. Raises what the database raises, and UnknownQuestionnaire.

    Nothing is changed then.
    """
    with transaction(engine) as connection:
        cursor = open_cursor(connection)
        total = tally_rebuild.count_responses(cursor)
        tally_rebuild.block_counting(cursor)
        tally_rebuild.create_rebuilt_table(cursor)
        registry = stored_registry.load(connection)
        done = 0
        for chunk in tally_rebuild.stored_responses(cursor, CHUNK):
            for deltas in _deltas(chunk, registry.questionnaires):
                tally_rebuild.add_deltas(cursor, deltas)
            done += len(chunk)
            progress(done, max(total, done))
        changed = tally_rebuild.replace_tallies(cursor)
        return Rebuilt(done, changed, tally_rebuild.mark_all_stale(cursor))


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
