"""Templates to HTML. Pages load nothing, from here or elsewhere: the style is in them, and there is no script."""

import base64
import hashlib
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from services.aggregate.read.answer import HTML, PreparedAnswer
from services.aggregate.read.pages.words import moment, number

_FOLDER = Path(__file__).parent
_STYLE = (_FOLDER / "style.css").read_text(encoding="utf-8")
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = [(b"content-security-policy", _POLICY.encode()), (b"referrer-policy", b"same-origin")]

_environment = Environment(
    loader=FileSystemLoader(_FOLDER / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters |= {"number": number, "moment": moment}


def page(template: str, **values: object) -> PreparedAnswer:
    """A page as an answer."""
    style = Markup(_STYLE)  # noqa: S704 - our own file
    html = _environment.get_template(template).render(style=style, **values)
    return PreparedAnswer.of(html.encode(), HTML, _HEADERS)
