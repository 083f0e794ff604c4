"""Templates to pages, and the files that they load, under names that follow from their content.

The kiosk and the entry of paper forms take base, style and the partial `_questions.html` from here.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response

FOLDER: Final = Path(__file__).parent
STATIC_PATH: Final = "/s/static"
POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_FOR_EVER: Final = "public, max-age=31536000, immutable"


class StaticFile(NamedTuple):
    """A file of the pages."""

    content: bytes
    media_type: str


def static_files(folder: Path) -> tuple[dict[str, StaticFile], dict[str, str]]:
    """Return the files of a folder by the names that pages use, and those names by the plain."""
    files, names = {}, {}
    for path in sorted(folder.iterdir()):
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()[:10]
        names[path.name] = f"{path.stem}.{digest}{path.suffix}"
        files[names[path.name]] = StaticFile(content, _TYPES[path.suffix])
    return files, names


FILES, NAMES = static_files(FOLDER / "static")


def static_url(name: str) -> str:
    """Return the address of a file."""
    return f"{STATIC_PATH}/{NAMES[name]}"


def environment(*folders: Path) -> Environment:
    """Return an environment for the templates of these folders, then for the shared ones."""
    made = Environment(
        loader=FileSystemLoader([*folders, FOLDER / "templates"]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["static_url"] = static_url
    return made


_environment = environment()


def page(template: str, values: Mapping[str, object], status: int = 200) -> Response:
    """Return a page; nothing keeps it but the page's own worker, for hours without network."""
    html = _environment.get_template(template).render(values)
    headers = {**_HEADERS, "Cache-Control": "no-store"}
    return Response(html, status, headers, "text/html")


def static_file(name: str) -> Response | None:
    """Return a file of the pages; None when there is none of this name."""
    if name not in FILES:
        return None
    headers = {**_HEADERS, "Cache-Control": _FOR_EVER}
    return Response(FILES[name].content, 200, headers, FILES[name].media_type)


def service_worker() -> Response:
    """Return the worker: under a fixed address, with the files that it keeps in its first line."""
    kept = [static_url(name) for name in sorted(NAMES) if name != "worker.js"]
    head = f"const FILES = {kept!r};\nimportScripts({static_url('queue.js')!r});\n"
    content = head.encode() + (FOLDER / "static" / "worker.js").read_bytes()
    headers = {**_HEADERS, "Cache-Control": "no-cache"}
    return Response(content, 200, headers, "text/javascript")
