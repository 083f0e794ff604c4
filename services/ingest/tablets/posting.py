"""A submission of a tablet, through the endpoint of its format: the same inbox as everybody's."""

from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.types import ASGIApp, Message

ACCEPTED: Final = HTTPStatus.ACCEPTED


async def posted(
    endpoint: ASGIApp, key: str, request: Request
) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of the endpoint's answer to a POST with this key."""
    headers = [pair for pair in request.scope["headers"] if pair[0] != b"authorization"]
    scope = {**request.scope, "headers": [*headers, (b"authorization", b"Bearer " + key.encode())]}
    status = 0
    told: dict[str, str] = {}
    body = b""

    async def keep(message: Message) -> None:
        nonlocal status, told, body
        if message["type"] == "http.response.start":
            status = message["status"]
            told = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            body += message["body"]

    await endpoint(scope, request.receive, keep)
    return status, told, body
