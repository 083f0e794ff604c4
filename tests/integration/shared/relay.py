"""A TCP port, perhaps with TLS, before a Redis that listens on a Unix socket."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from services.ops.stack.servers import Redis


@asynccontextmanager
async def relayed(socket: Path, tls: dict[str, str] | None = None) -> AsyncIterator[int]:
    """Open the port, and say which one it is."""

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inside, out = await asyncio.open_unix_connection(socket)

        async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            while data := await source.read(65_536):
                target.write(data)
            target.close()

        await asyncio.gather(copy(reader, out), copy(inside, writer), return_exceptions=True)

    context = None
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls["certificate"], tls["key"])
    server = await asyncio.start_server(pass_on, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.sleep(0.05)


def socket_of(redis: Redis) -> Path:
    return redis.sockets / "redis.sock"


def made_certificate(openssl: str, folder: Path) -> dict[str, str]:
    """Make a certificate of "localhost", and say where it and its key are."""
    tls = {"certificate": str(folder / "c.pem"), "key": str(folder / "k.pem")}
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-days", "1", "-nodes"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command += ["-keyout", tls["key"], "-out", tls["certificate"]]
    subprocess.run(command, check=True, capture_output=True)
    return tls
