"""What a chat can be about: the open layanan of the OPDs that its channel serves."""

import hashlib
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from msgspec import Struct

from shared.domain.questionnaire import Questionnaire
from shared.domain.violation import Violation
from shared.registry.snapshot import Channel, Layanan, Opd, Registry
from shared.registry.tickets import admission

_SEPARATORS = ("/", "__")  # a deep link of Telegram has no slash


class Rateable(NamedTuple):
    """A layanan that can be rated now."""

    opd: Opd
    layanan: Layanan

    @property
    def tag(self) -> str:
        """What stands for it in a choice: codes may be longer than a choice's id."""
        return hashlib.sha256(f"{self.opd.code}/{self.layanan.code}".encode()).hexdigest()[:12]


class Catalogue(Struct, frozen=True):
    """The registry as a channel sees it on a day."""

    registry: Registry
    channel: Channel
    today: date

    def rateables(self) -> Iterator[Rateable]:
        """Yield every layanan that can be rated, by OPD and name."""
        for opd in sorted(self.registry.opd.values(), key=lambda opd: opd.name):
            if self.channel.serves(opd.code) and opd.is_open(self.today):
                for layanan in sorted(opd.layanan.values(), key=lambda layanan: layanan.name):
                    if layanan.is_open(self.today):
                        yield Rateable(opd, layanan)

    def named(self, code: str) -> list[Rateable]:
        """Return the layanan that a start word means: `ktp-el` or `disdukcapil/ktp-el`."""
        wanted = code.lower()
        return [
            rateable
            for rateable in self.rateables()
            if wanted in _spellings(rateable.opd.code.lower(), rateable.layanan.code.lower())
        ]

    def rateable(self, opd: str, layanan: str) -> Rateable | None:
        """Return the layanan of these codes, when it can be rated."""
        for rateable in self.rateables():
            if (rateable.opd.code, rateable.layanan.code) == (opd, layanan):
                return rateable
        return None

    def questionnaire(self, rateable: Rateable) -> Questionnaire | None:
        """Return what is asked about a layanan."""
        return self.registry.questionnaire_for(rateable.opd.code, rateable.layanan.code, None)

    def admits(self, rateable: Rateable, ticket: str | None) -> bool:
        """Whether an answer about a layanan is taken with this ticket, or without one."""
        judged = admission(
            self.registry,
            self.channel,
            self.today,
            opd=rateable.opd.code,
            layanan=rateable.layanan.code,
            code=ticket,
        )
        return not isinstance(judged, Violation)


def _spellings(opd: str, layanan: str) -> set[str]:
    return {layanan, opd, *(f"{opd}{separator}{layanan}" for separator in _SEPARATORS)}
