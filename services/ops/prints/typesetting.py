"""PDF set by typst from a template and values; the same values give the same bytes."""

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Final

import typst

_FONTS: Final = typst.Fonts(include_system_fonts=False)  # the same on every machine
_MADE_AT: Final = 0  # in Unix time: what is printed again is the same file


class Template:
    """A template of this package, read once. Values are text for it, never its language."""

    def __init__(self, name: str) -> None:
        self._source = files(__package__).joinpath("templates", f"{name}.typ").read_bytes()
        self._compiler = typst.Compiler(font_paths=_FONTS)

    def pdf(self, values: Mapping[str, object]) -> bytes:
        """Return the document as PDF."""
        inputs = {"values": json.dumps(values)}
        document = self._compiler.compile(
            self._source, format="pdf", sys_inputs=inputs, timestamp=_MADE_AT
        )
        if not isinstance(document, bytes):
            raise TypeError("typst gave no single document")
        return document
