"""A process of its own that makes XForms of surveys, with pyxform: JSON in, JSON out.

Importing pyxform takes a second and brings numpy along: neither shall happen to a process that
takes submissions. Run as `python -m services.ingest.tablets.generate`.
"""

import sys

import msgspec
from pyxform.xls2xform import convert

from services.ingest.tablets.survey import Survey, xlsform


def xform(survey: Survey) -> str:
    """Return the XForm of a survey, the same for the same survey everywhere."""
    form: str = convert(dict(xlsform(survey)), form_name="data").xform
    return form


def main() -> None:
    """Read the surveys that are wanted, and write their XForms in the same order."""
    wanted = msgspec.json.decode(sys.stdin.buffer.read(), type=list[Survey])
    sys.stdout.buffer.write(msgspec.json.encode([xform(survey) for survey in wanted]))


if __name__ == "__main__":
    main()
