"""The forms of a registry: made once for each survey, beside the process, and kept in memory."""

import asyncio
import hashlib
import logging
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import date

import msgspec

from services.ingest.tablets.survey import Survey, ordered, surveys
from shared.domain.errors import IkmError
from shared.registry.snapshot import Registry

log = logging.getLogger(__name__)

TIMEOUT_S = 60.0
STDERR_MAX = 2000  # bytes of what the generator said that the log gets
_GENERATOR = "services.ingest.tablets.generate"


class FormsUnavailable(IkmError):
    """The forms could not be made."""


class Form(msgspec.Struct, frozen=True):
    """A form as tablets get it."""

    survey: Survey
    xform: bytes

    @property
    def md5(self) -> str:
        """By which a tablet knows that it has this form (OpenRosa form list)."""
        return hashlib.md5(self.xform, usedforsecurity=False).hexdigest()


class Forms:
    """The forms of the registry and the day for which they were last asked."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._state: tuple[int, date] | None = None
        self._forms: Mapping[str, Form] = {}

    async def of(self, registry: Registry, today: date) -> Mapping[str, Form]:
        """Return the forms by id; what is asked as before keeps its form."""
        if self._state == (registry.version, today):
            return self._forms
        async with self._lock:  # a hundred tablets that ask at once wait for the same forms
            if self._state != (registry.version, today):
                self._forms = await self._made(ordered(surveys(registry, today)))
                self._state = (registry.version, today)
        return self._forms

    async def _made(self, wanted: Sequence[Survey]) -> Mapping[str, Form]:
        forms = {form.survey: form for form in self._forms.values()}
        missing = [survey for survey in wanted if survey not in forms]
        if missing:
            xforms = await asyncio.to_thread(_generated, missing)
            forms |= {
                survey: Form(survey, xform.encode())
                for survey, xform in zip(missing, xforms, strict=True)
            }
        return {survey.form_id: forms[survey] for survey in wanted}


def _generated(missing: Sequence[Survey]) -> list[str]:
    """Return the XForms of surveys, made by a process of its own."""
    try:
        generator = subprocess.run(  # noqa: S603 - this Python, a module of ours
            [sys.executable, "-m", _GENERATOR],
            input=msgspec.json.encode(missing),
            capture_output=True,
            timeout=TIMEOUT_S,
            check=True,
        )
        return msgspec.json.decode(generator.stdout, type=list[str])
    except (subprocess.SubprocessError, OSError, ValueError) as error:
        said = getattr(error, "stderr", None) or b""  # the generator's last words
        log.exception(
            "forms could not be made",
            extra={"generator": said[-STDERR_MAX:].decode(errors="replace")},
        )
        raise FormsUnavailable("the forms could not be made") from error
