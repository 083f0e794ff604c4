"""Image and proxy agree with the code: what is copied exists, what is routed is served."""

import re

from starlette.routing import Route

from services.ingest.chats import routes as chats
from services.ingest.formats import FORMATS
from shared.problems import MEDIA_TYPE, problem
from tests.guards.deployment import CADDYFILE, DOCKERFILE
from tests.guards.repository import ROOT, text


def test_the_proxy_sends_the_path_of_every_channel_to_ingest() -> None:
    matcher = re.search(r"^\s*@ingest path (.+)$", text(CADDYFILE), re.MULTILINE)
    assert matcher
    paths = {*FORMATS, *(route.path for route in chats.router.routes if isinstance(route, Route))}
    prefixes = {re.sub(r"\{.*", "*", path) for path in paths}  # a parameter matches anything
    assert set(matcher[1].split()) == prefixes


def test_the_proxy_refuses_as_the_services_do_while_they_are_away() -> None:
    same = problem("starting")
    assert f"respond `{same.body.decode()}` {same.status}" in text(CADDYFILE)
    assert f"header Content-Type {MEDIA_TYPE}" in text(CADDYFILE)
    assert f"header Retry-After {same.plain_headers['retry-after']}" in text(CADDYFILE)


def test_everything_that_the_image_copies_exists_and_reaches_the_builder() -> None:
    admitted = {
        line[1:].rstrip("/")
        for line in text(ROOT / ".dockerignore").splitlines()
        if line.startswith("!")
    }
    copied = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", text(DOCKERFILE), re.MULTILINE)
        for source in line.split()[:-1]
    ]
    assert copied
    assert set(copied) == admitted
    assert all((ROOT / source).exists() for source in copied)


def test_the_image_installs_from_the_lock_and_runs_as_nobody_special() -> None:
    recipe = text(DOCKERFILE)
    assert "--require-hashes -r requirements.lock" in recipe
    user = re.findall(r"^USER (.+)$", recipe, re.MULTILINE)
    assert user
    assert user[-1] not in {"root", "0"}
    assert 'ENTRYPOINT ["ikm"]' in recipe
