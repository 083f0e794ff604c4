"""Templates to HTML. A page loads nothing, unless it says so: the style is in it, no script is."""

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
_environment = Environment(
    loader=FileSystemLoader(_FOLDER / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters |= {"number": number, "moment": moment}


def page(template: str, *, policy: str = _POLICY, **values: object) -> PreparedAnswer:
    """Prepare a page as an answer. `policy` says what the page may load."""
    style = Markup(_STYLE)  # noqa: S704 - our own file
    html = _environment.get_template(template).render(style=style, **values)
    headers = [
        (b"content-security-policy", policy.encode()),
        (b"referrer-policy", b"same-origin"),
    ]
    return PreparedAnswer.of(html.encode(), HTML, headers)
