"""What the senders of the storm send, and what they remember of it."""

import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

# OPDs of the example, with layanan that nothing else sends for.
LAYANAN = {
    "disdukcapil": ("ktp-el", "kartu-keluarga"),
    "dishub": ("uji-kir",),
    "dispusip": ("keanggotaan", "sirkulasi"),
    "kec-bukit-bestari": ("surat-keterangan", "sktm"),
}
UNREGISTERED = "tidak-terdaftar"
LONG_AGO = ("2024-03-10T08:00:00+07:00", "2024-05-02T13:30:00+07:00")


@dataclass
class Memory:
    """What the senders know; the lock is for whoever reads or changes it."""

    acknowledged: dict[str, str] = field(default_factory=dict)  # id -> receipt
    unanswered: set[str] = field(default_factory=set)
    statuses: Counter[int] = field(default_factory=Counter)
    duplicates: int = 0
    lock: Lock = field(default_factory=Lock)


def body_of(source_ids: Sequence[str]) -> bytes:
    """Return the submissions of these ids as NDJSON."""
    return "\n".join(json.dumps(submission(source_id)) for source_id in source_ids).encode()


def submission(source_id: str) -> dict[str, Any]:
    """Return the submission of an id, always the same.

    That of one in fifty is to be parked; one in ten was answered long ago, in a closed month.
    """
    chance = random.Random(source_id)
    opd = chance.choice(list(LAYANAN))
    layanan = UNREGISTERED if is_to_be_parked(source_id) else chance.choice(LAYANAN[opd])
    answers = {f"U{number}": chance.randint(1, 4) for number in range(1, 10)}
    document = {"id": source_id, "opd": opd, "layanan": layanan, "answers": answers}
    if chance.random() < 0.5:
        document["respondent"] = {"sex": chance.choice("LP"), "age": chance.randint(15, 80)}
    if chance.random() < 0.1:
        document["submitted_at"] = chance.choice(LONG_AGO)
    return document


def is_to_be_parked(source_id: str) -> bool:
    """Whether the submission of this id names a layanan that is not registered."""
    return int.from_bytes(random.Random(source_id).randbytes(4)) % 50 == 0
