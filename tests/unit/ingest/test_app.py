"""How the application is put together."""

from fastapi import FastAPI
from starlette.routing import Mount, Route

from services.ingest.app import create_app
from services.ops.web.app import Web
from shared.settings import Settings
from tests.unit.ingest.doubles import NOWHERE


def test_the_web_application_sees_every_path() -> None:
    # It sends to ingest what begins as a path of ingest does; an included router shows it none.
    ingest = create_app(Settings.load(redis_url=NOWHERE))
    hidden = [route for route in ingest.api.routes if not isinstance(route, Route | Mount)]
    assert hidden == []
    read = create_app(Settings.load(redis_url=NOWHERE))
    read.api = FastAPI()
    assert "/v1/key/" in Web(ingest, read)._ingest_prefixes
