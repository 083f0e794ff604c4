"""Made-up respondents, drawn from a seeded generator: the same seed gives the same people.

Answers of one person hang together (a latent satisfaction), agencies differ (a quality of their
own, weak and strong unsur), the day has a rhythm, profiles have gaps.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.domain.questionnaire import Questionnaire
from shared.domain.respondent import EDUCATION, OCCUPATION, SEX
from shared.registry.snapshot import Registry

# How many come in which local hour: counters open at 8, rest at noon, close at 16; a few answer at
# home in the evening.
HOURS = (0, 0, 0, 0, 0, 0, 1, 4, 20, 30, 28, 22, 8, 18, 20, 12, 4, 3, 4, 5, 4, 2, 1, 0)
COMMENTS = (
    "Cepat dan ramah",
    "Antrean terlalu lama",
    "Petugas membantu sekali",
    "Ruang tunggu panas, tolong tambah kursi",
    "Syaratnya kurang jelas di papan informasi",
    "Sudah baik, pertahankan",
    "Loket tutup lebih awal dari jam layanan",
)
_EDUCATION_WEIGHTS = (8, 14, 40, 2, 2, 8, 3, 20, 2.5, 0.5)
_OCCUPATION_WEIGHTS = (9, 2, 1.5, 32, 22, 14, 19.5)


@dataclass(frozen=True, slots=True)
class Manners:
    """How the senders behave, as shares from 0 to 1; `days`: past ones that answers spread over."""

    duplicates: float = 0.02
    bad: float = 0.01
    comments: float = 0.15
    gaps: float = 0.2
    days: int = 0


@dataclass(frozen=True, slots=True)
class OpenLayanan:
    """A layanan to send answers for, with the quality that its respondents meet."""

    opd_code: str
    layanan_code: str
    questionnaire: Questionnaire
    quality: float  # mean score
    leanings: Sequence[float]  # of each unsur, around the quality
    weight: float


class Population:
    """Draws submissions for the open services of a registry."""

    def __init__(self, registry: Registry, seed: int, manners: Manners, now: datetime) -> None:
        self._random = random.Random(seed)
        self._prefix = f"simulasi-{seed}-{int(now.timestamp() * 1000):x}"
        self._manners = manners
        self._now = now.astimezone(registry.instansi.zone)
        self._layanan = self._draw_layanan(registry)
        self._sent: list[dict[str, Any]] = []
        self._count = 0

    def submissions(self) -> Iterator[dict[str, Any]]:
        """Yield submissions without end: new ones, repetitions of earlier ones, and bad ones."""
        chance = self._random
        while True:
            draw = chance.random()
            if draw < self._manners.duplicates and self._sent:
                yield chance.choice(self._sent)
                continue
            submission = self._new()
            if draw > 1 - self._manners.bad:
                yield self._spoil(submission)
                continue
            if len(self._sent) < 10_000:  # noqa: PLR2004 - enough to repeat from
                self._sent.append(submission)
            yield submission

    def _draw_layanan(self, registry: Registry) -> list[OpenLayanan]:
        drawn = []
        today = self._now.date()
        for opd in registry.opd.values():
            quality = min(3.9, max(2.2, self._random.gauss(3.3, 0.3)))
            for layanan in opd.layanan.values():
                questionnaire = registry.questionnaire_for(opd.code, layanan.code, None)
                if questionnaire is None or not (opd.is_open(today) and layanan.is_open(today)):
                    continue
                leanings = [self._random.gauss(0, 0.2) for _ in questionnaire.unsur]
                weight = float(layanan.users_per_year or 1000)
                drawn.append(
                    OpenLayanan(opd.code, layanan.code, questionnaire, quality, leanings, weight)
                )
        return drawn

    def _new(self) -> dict[str, Any]:
        self._count += 1
        weights = [layanan.weight for layanan in self._layanan]
        layanan = self._random.choices(self._layanan, weights)[0]
        mood = self._random.gauss(layanan.quality, 0.5)
        submission: dict[str, Any] = {
            "id": f"{self._prefix}-{self._count}",
            "opd": layanan.opd_code,
            "layanan": layanan.layanan_code,
            "submitted_at": self._answered_at().isoformat(timespec="seconds"),
            "answers": {
                unsur.code: min(4, max(1, round(self._random.gauss(mood + leaning, 0.4))))
                for unsur, leaning in zip(
                    layanan.questionnaire.unsur, layanan.leanings, strict=True
                )
            },
            "respondent": self._profile(),
        }
        if self._random.random() < self._manners.comments:
            submission["comment"] = self._random.choice(COMMENTS)
        return submission

    def _answered_at(self) -> datetime:
        if not self._manners.days:
            return self._now
        day = self._now - timedelta(days=self._random.randrange(self._manners.days + 1))
        hour = self._random.choices(range(24), HOURS)[0]
        minute, second = self._random.randrange(60), self._random.randrange(60)
        return min(day.replace(hour=hour, minute=minute, second=second, microsecond=0), self._now)

    def _profile(self) -> dict[str, Any]:
        profile = {
            "sex": self._random.choice(SEX),
            "age": min(90, max(15, round(self._random.gauss(36, 12)))),
            "education": self._random.choices(EDUCATION, _EDUCATION_WEIGHTS)[0],
            "occupation": self._random.choices(OCCUPATION, _OCCUPATION_WEIGHTS)[0],
        }
        return {
            name: value
            for name, value in profile.items()
            if self._random.random() >= self._manners.gaps / 4
        }

    def _spoil(self, submission: dict[str, Any]) -> dict[str, Any]:
        """Make a score or a field wrong, which is refused, or the layanan, which is parked."""
        first = next(iter(submission["answers"]))
        spoilt = (
            {"answers": {**submission["answers"], first: 7}},
            {"nik": "tidak disimpan"},
            {"layanan": "layanan-yang-belum-terdaftar"},
        )
        return {**submission, **self._random.choice(spoilt)}
