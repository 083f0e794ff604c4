"""The registry as one immutable snapshot: who may send what, about which services.

PostgreSQL holds the registry; whoever changes it publishes a snapshot (publication.py); whoever
judges by it fetches the snapshot when its version has grown, and answers from memory.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

import msgspec

from shared.domain.questionnaire import SKM_2017, Questionnaire

ROLLUPS: Final = ("pooled", "mean")


@dataclass(frozen=True, slots=True)
class Instansi:
    """The institution that all OPDs belong to; in its timezone responses get their days."""

    code: str
    name: str
    timezone: str
    primary: str = ROLLUPS[0]  # the roll-up that is shown first
    scheme: str = "exact"  # weight scheme of the published figures

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of local days."""
        return ZoneInfo(self.timezone)


class Temporal:
    """What is valid from one local day to another, both included; None: since or for ever."""

    __slots__ = ()

    valid_from: date | None
    valid_to: date | None

    def is_open(self, day: date) -> bool:
        """Whether local `day` lies in the validity."""
        begun = self.valid_from is None or self.valid_from <= day
        ended = self.valid_to is not None and self.valid_to < day
        return begun and not ended


@dataclass(frozen=True, slots=True)
class Layanan(Temporal):
    """One service of an OPD. Without a questionnaire of its own it is asked with SKM_2017."""

    code: str
    name: str
    users_per_year: int | None = None
    questionnaire: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True, slots=True)
class Opd(Temporal):
    """One agency, with its layanan by code."""

    code: str
    name: str
    official_code: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    successor: str | None = None
    layanan: Mapping[str, Layanan] = field(default_factory=dict)
    ticket_required: bool = False  # of answers that come from where anybody can answer


@dataclass(frozen=True, slots=True)
class Channel(Temporal):
    """Who sends: one way in. `opd` None: for all of them.

    `settings` are what its kind needs to know (shared.registry.kinds). `secrets` are shared with
    the sender, by name: nothing shows them, and two channels differ by them in nothing.
    """

    name: str
    kind: str
    opd: frozenset[str] | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    def serves(self, opd: str) -> bool:
        """Whether submissions for `opd` may come in here."""
        return self.opd is None or opd in self.opd


@dataclass(frozen=True, slots=True)
class AccessKey:
    """One key that is not revoked; the registry has it under its SHA-256 (hexadecimal).

    It may submit through its channel (None: that of a reader, who sends nothing), read the live
    figures of the OPDs of its scope (`opd` None: of all), or both.
    """

    id: str
    channel: str | None
    may_submit: bool = True  # the defaults read a snapshot that was published before keys had these
    may_read: bool = False
    opd: frozenset[str] | None = None

    def reads(self, opd: str) -> bool:
        """Whether it may read the live figures of an OPD."""
        return self.may_read and (self.opd is None or opd in self.opd)

    @property
    def reads_all(self) -> bool:
        """Whether it may read the live figures of every OPD, and of the instansi."""
        return self.may_read and self.opd is None


def _built_in() -> dict[str, Questionnaire]:
    return {SKM_2017.code: SKM_2017}


@dataclass(frozen=True, slots=True)
class Registry:
    """Who may send what, and about whom. A greater version is a later state."""

    version: int
    instansi: Instansi
    opd: Mapping[str, Opd] = field(default_factory=dict)
    channels: Mapping[str, Channel] = field(default_factory=dict)
    keys: Mapping[str, AccessKey] = field(default_factory=dict)
    questionnaires: Mapping[str, Questionnaire] = field(default_factory=_built_in)
    # Of the installation: receipts follow from it. Nothing shows it, and without it nothing is
    # accepted.
    secret: bytes = field(default=b"", repr=False)

    @property
    def unsur_max(self) -> int:
        """The number of unsur of the largest questionnaire."""
        return max(questionnaire.size for questionnaire in self.questionnaires.values())

    @classmethod
    def empty(cls) -> Self:
        """Return what holds before anything was applied: no OPD, no channel, version 0."""
        return cls(version=0, instansi=Instansi(code="", name="", timezone="UTC"))

    def questionnaire_for(self, opd: str, layanan: str, named: str | None) -> Questionnaire | None:
        """Return the questionnaire that a submission answers.

        The named one, None when the registry does not have it (yet); without a name that of the
        layanan; without one, or for a layanan that is not in the registry, SKM_2017.
        """
        if named is not None:
            return self.questionnaires.get(named)
        if (registered_opd := self.opd.get(opd)) is None:
            return SKM_2017
        registered_layanan = registered_opd.layanan.get(layanan)
        if registered_layanan is None or registered_layanan.questionnaire is None:
            return SKM_2017
        return self.questionnaires.get(registered_layanan.questionnaire)

    def encode(self) -> bytes:
        """Return the snapshot as JSON."""
        return msgspec.json.encode(self, order="deterministic")

    @classmethod
    def decode(cls, snapshot: bytes | str) -> Self:
        """Return the registry that `encode` wrote. Raises msgspec.DecodeError for anything else."""
        return msgspec.json.decode(snapshot, type=cls)
