"""Swagger UI for the page /docs: its files come from a wheel, so a page asks no other host."""

from functools import cache
from importlib.resources import files

from services.aggregate.read.answer import CSS, JAVASCRIPT, PreparedAnswer
from services.aggregate.read.pages.render import page

_WHEEL = files("fastapi_offline") / "static"
_FILES = {
    "swagger-ui-bundle.js": (_WHEEL, JAVASCRIPT),
    "swagger-ui.css": (_WHEEL, CSS),
    "docs.js": (files(__package__), JAVASCRIPT),
}
# Swagger UI sets style attributes, and draws its icons from data: addresses.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)


@cache
def docs_page() -> PreparedAnswer:
    """Return the page that lets people try the calls of /openapi.json."""
    return page("docs.html", policy=_POLICY)


@cache
def docs_file(name: str) -> PreparedAnswer | None:
    """Return a file that the page loads; None when there is none of this name."""
    if name not in _FILES:
        return None
    folder, media_type = _FILES[name]
    return PreparedAnswer.of((folder / name).read_bytes(), media_type)
