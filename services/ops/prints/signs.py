"""The sign on a counter: A5, with the code, the names and the address of one layanan."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.ops.prints import qr
from services.ops.prints.addresses import survey_address, typed
from services.ops.prints.typesetting import Template
from shared.registry.snapshot import Layanan, Opd, Registry


@dataclass(frozen=True, slots=True)
class CounterSign:
    """One sign: which layanan is rated, at which point (None: anywhere), at which address."""

    opd: Opd
    layanan: Layanan
    point: str | None
    address: str

    @property
    def values(self) -> dict[str, object]:
        """What the template says about it."""
        return {
            "opd": self.opd.name,
            "layanan": self.layanan.name,
            "point": self.point,
            "address": self.address,
            "typed": typed(self.address),
            "svg": qr.svg(qr.qr_of(self.address)).decode(),
        }


class SignPrinter:
    """Makes the signs of an instansi."""

    def __init__(self, registry: Registry) -> None:
        self._instansi = registry.instansi.name
        self._template = Template("counter_sign")

    def pdf(self, signs: Sequence[CounterSign]) -> bytes:
        """Return a page for each sign."""
        title = f"{signs[0].layanan.name} - {signs[0].opd.name}" if signs else self._instansi
        return self._template.pdf(
            {"instansi": self._instansi, "title": title, "signs": [sign.values for sign in signs]}
        )


def sign_of(opd: Opd, layanan: Layanan, base: str, point: str | None = None) -> CounterSign:
    """Return the sign of a layanan at a point. Raises NoPoint."""
    address = survey_address(base, opd.code, layanan.code, point=point)
    return CounterSign(opd, layanan, point, address)
