"""The registry as one immutable snapshot, and its way through Redis into every process.

PostgreSQL holds the registry; whoever changes it publishes a snapshot; whoever judges by it fetches
the snapshot when its version has grown, and then answers from memory: plain dictionaries, no I/O.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Self, cast
from zoneinfo import ZoneInfo

import msgspec
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from shared.domain.questionnaire import SKM_2017, Questionnaire

ROLLUPS: Final = ("pooled", "mean")

# Stores the snapshot unless a newer one is there; a lost snapshot beside its version is stored
# again. One script: no reader sees a version without its snapshot, and two publishers cannot put
# the older one last.
_PUBLISH: Final = """
local have = tonumber(redis.call('GET', KEYS[1]) or '-1')
local new = tonumber(ARGV[1])
if have > new or (have == new and redis.call('EXISTS', KEYS[2]) == 1) then return 0 end
redis.call('MSET', KEYS[1], ARGV[1], KEYS[2], ARGV[2])
return 1
"""


@dataclass(frozen=True, slots=True)
class Instansi:
    """The institution that all OPDs belong to; its timezone decides which day a response belongs to."""

    code: str
    name: str
    timezone: str
    primary: str = ROLLUPS[0]  # the roll-up that is shown first
    scheme: str = "exact"  # weight scheme of the published figures

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of local days."""
        return ZoneInfo(self.timezone)


@dataclass(frozen=True, slots=True)
class Layanan:
    """One service of an OPD. Without a questionnaire of its own it uses SKM_2017."""

    code: str
    name: str
    users_per_year: int | None = None
    questionnaire: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None

    def is_open(self, day: date) -> bool:
        """Whether local `day` lies in the validity, both ends included."""
        return _covers(self.valid_from, self.valid_to, day)


@dataclass(frozen=True, slots=True)
class Opd:
    """One agency and its services by code."""

    code: str
    name: str
    official_code: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    successor: str | None = None
    layanan: Mapping[str, Layanan] = field(default_factory=dict)

    def is_open(self, day: date) -> bool:
        """Whether local `day` lies in the validity, both ends included."""
        return _covers(self.valid_from, self.valid_to, day)


@dataclass(frozen=True, slots=True)
class Channel:
    """One way in. `opd` None: all of them."""

    name: str
    kind: str
    opd: frozenset[str] | None = None
    valid_from: date | None = None
    valid_to: date | None = None

    def is_open(self, day: date) -> bool:
        """Whether local `day` lies in the validity, both ends included."""
        return _covers(self.valid_from, self.valid_to, day)

    def serves(self, opd: str) -> bool:
        """Whether submissions for `opd` may come in here."""
        return self.opd is None or opd in self.opd


@dataclass(frozen=True, slots=True)
class Key:
    """One channel key that is not revoked; found by the SHA-256 of the key, in hexadecimal."""

    id: str
    channel: str


def _built_in() -> dict[str, Questionnaire]:
    return {SKM_2017.code: SKM_2017}


@dataclass(frozen=True, slots=True)
class Registry:
    """Everything that is known about who may send what. A greater version is a later state."""

    version: int
    instansi: Instansi
    opd: Mapping[str, Opd] = field(default_factory=dict)
    channels: Mapping[str, Channel] = field(default_factory=dict)
    keys: Mapping[str, Key] = field(default_factory=dict)
    questionnaires: Mapping[str, Questionnaire] = field(default_factory=_built_in)

    @property
    def unsur_max(self) -> int:
        """The number of unsur of the largest questionnaire."""
        return max(questionnaire.size for questionnaire in self.questionnaires.values())

    @classmethod
    def empty(cls) -> Self:
        """What holds before anything was applied: no OPD, no channel, version 0."""
        return cls(version=0, instansi=Instansi(code="", name="", timezone="UTC"))

    def questionnaire_for(self, opd: str, layanan: str, named: str | None) -> Questionnaire | None:
        """The questionnaire that a submission answers.

        The one it names, None when that is not known here (yet); without a name that of the
        layanan; without one, or for a layanan that is not known, SKM_2017.
        """
        code = named
        if code is None:
            unit = self.opd.get(opd)
            service = unit.layanan.get(layanan) if unit is not None else None
            code = service.questionnaire if service is not None else None
            if code is None:
                return SKM_2017
        return self.questionnaires.get(code)

    def encode(self) -> bytes:
        """The snapshot as JSON."""
        return msgspec.json.encode(self, order="deterministic")

    @classmethod
    def decode(cls, snapshot: bytes | str) -> Self:
        """The registry that `encode` wrote. Raises msgspec.DecodeError when it is not one."""
        return msgspec.json.decode(snapshot, type=cls)


def publish(redis: Redis, prefix: str, registry: Registry) -> bool:
    """Store the snapshot in Redis; False when one as new or newer is there already."""
    keys = [version_key(prefix), snapshot_key(prefix)]
    return (
        cast(
            "int", redis.eval(_PUBLISH, len(keys), *keys, str(registry.version), registry.encode())
        )
        == 1
    )


async def fetch(redis: AsyncRedis, prefix: str, newer_than: int) -> Registry | None:
    """The snapshot in Redis when it is newer than that version, else None; the small version key is read first."""
    version = await redis.get(version_key(prefix))
    if version is None or int(version) <= newer_than:
        return None
    snapshot = await redis.get(snapshot_key(prefix))
    return Registry.decode(snapshot) if snapshot is not None else None


def snapshot_key(prefix: str) -> str:
    """The Redis key of the snapshot."""
    return f"{prefix}registry"


def version_key(prefix: str) -> str:
    """The Redis key of the snapshot's version."""
    return f"{prefix}registry:version"


def _covers(first: date | None, last: date | None, day: date) -> bool:
    return (first is None or first <= day) and (last is None or day <= last)
