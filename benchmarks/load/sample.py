"""The submissions that are sent: seeded, the size of real ones, for benchmarks/registry.yaml."""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

OPD = tuple(f"opd-{number:02}" for number in range(1, 13))
LAYANAN = tuple(f"layanan-{number}" for number in range(1, 5))
PROBE_OPD = "opd-probe"
PROBES = tuple(f"probe-{number:02}" for number in range(1, 41))
CHANNEL = "bench"

_UNSUR = tuple(f"U{number}" for number in range(1, 10))
_EDUCATION = ("SD", "SMP", "SMA", "D3", "S1", "S2")
_OCCUPATION = ("PNS", "SWASTA", "WIRAUSAHA", "PELAJAR", "LAINNYA")
_COMMENTS = (
    "Cepat dan ramah",
    "Antre terlalu lama, loket hanya dibuka satu",
    "Petugas membantu sampai selesai",
)


def submissions(seed: str, number: int, days: int = 1) -> Iterator[dict[str, Any]]:
    """Yield `number` submissions of random moments of the last `days` days."""
    draw = random.Random(seed)
    now = datetime.now(UTC).replace(microsecond=0)
    for index in range(number):
        yield submission(
            draw, f"{seed}-{index:08}", now - timedelta(seconds=draw.randrange(1, days * 86_400))
        )


def submission(draw: random.Random, name: str, submitted_at: datetime) -> dict[str, Any]:
    """Make a submission: three respondents in four have a profile, one in five comments."""
    document: dict[str, Any] = {
        "id": name,
        "opd": draw.choice(OPD),
        "layanan": draw.choice(LAYANAN),
        "submitted_at": submitted_at.isoformat(),
        "answers": dict(zip(_UNSUR, draw.choices((1, 2, 3, 4), (2, 8, 50, 40), k=9), strict=True)),
    }
    if draw.random() < 0.75:
        document["respondent"] = {
            "sex": draw.choice("LP"),
            "age": draw.randint(17, 80),
            "education": draw.choice(_EDUCATION),
            "occupation": draw.choice(_OCCUPATION),
        }
    if draw.random() < 0.2:
        document["comment"] = draw.choice(_COMMENTS)
    return document


def bodies(seed: str, number: int, days: int = 1) -> list[bytes]:
    """Return `number` submissions as compact JSON."""
    return [
        json.dumps(document, separators=(",", ":")).encode()
        for document in submissions(seed, number, days)
    ]
