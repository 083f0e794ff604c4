"""What takes back a submission: an item of the inbox like any other, with an id of its own."""

from typing import Annotated

import msgspec

from shared.domain.submission.identity import ID_MAX

_NUL = "\0"


class Retraction(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """The body: the id of a submission of the same channel, whether that came already or not."""

    retracts: Annotated[str, msgspec.Meta(min_length=1, max_length=ID_MAX)]


_DECODER = msgspec.json.Decoder(Retraction)


def retraction_body(source_id: str) -> bytes:
    """Return the body that takes back the submission with this id."""
    return msgspec.json.encode(Retraction(retracts=source_id))


def retraction_id(source_id: str) -> str:
    """Return the id of the retraction itself: who takes back twice has sent one thing twice."""
    return f"retraction:{source_id}"


def retracted_id(body: bytes) -> str | None:
    """Return the id that a body takes back; None when it is no retraction."""
    try:
        source_id = _DECODER.decode(body).retracts
    except (ValueError, RecursionError):
        return None
    return None if _NUL in source_id else source_id
