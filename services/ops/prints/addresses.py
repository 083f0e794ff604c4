"""The addresses that are printed: of a citizen's page, at a point, with a ticket."""

import re
from typing import Final
from urllib.parse import urlencode, urlsplit

from shared.domain.errors import IkmError

PAGES: Final = "/s"
_POINT: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_LONGEST: Final = 200  # characters of a base: the QR code must stay coarse enough for a phone


class NoAddress(IkmError):
    """This is no address that a phone can open: write it like https://ikm.kota.go.id."""


class NoPoint(IkmError):
    """A point has 1 to 64 letters, digits, dots, hyphens or underscores, like loket-3."""


def base_of(address: str) -> str:
    """Return the address of the service without a slash at its end. Raises NoAddress."""
    base = address.rstrip("/")
    if len(base) > _LONGEST or not _is_plain(base) or not _is_whole(base):
        raise NoAddress(repr(address))
    return base


def survey_address(
    base: str, opd: str, layanan: str, *, point: str | None = None, ticket: str | None = None
) -> str:
    """Return the address of the page of a layanan; raises NoPoint."""
    if point is not None and not _POINT.fullmatch(point):
        raise NoPoint(repr(point))
    parameters = {"p": point, "t": ticket}
    query = urlencode({name: value for name, value in parameters.items() if value is not None})
    return f"{base}{PAGES}/{opd}/{layanan}{'?' if query else ''}{query}"


def typed(address: str) -> str:
    """Return an address as people type it: without scheme and parameters."""
    return address.partition("://")[2].partition("?")[0]


def _is_whole(base: str) -> bool:
    try:
        parts = urlsplit(base)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, half an IPv6 address
        return False


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and not set(text) & set(' "#<>?@\\^`{|}')
