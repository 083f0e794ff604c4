"""The real servers of a session, and a database and a Redis of its own for each test."""

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.ops.account.account import Account, dedicated_account, give
from services.ops.errors import CannotStart
from services.ops.stack.servers import Postgres, Redis
from shared.storage import migrate
from shared.storage.rights.roles import MIGRATE

TEMPLATE = "ikm_template"
# A test database lives for seconds: what a power failure would do to it does not matter.
FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "60",
}


def _missing(reason: str) -> None:
    """Without servers a developer's tests are skipped loudly; in CI they fail."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def as_root() -> None:
    """For tests of what only root can do."""
    if os.geteuid() != 0:
        pytest.skip("only root has to become another user")


@pytest.fixture(scope="session")
def openssl() -> str:
    """The path of openssl."""
    program = shutil.which("openssl")
    if program is None:
        _missing("no openssl to make a certificate with")
    return str(program)


@pytest.fixture(scope="session")
def java() -> str:
    """The path of Java."""
    program = shutil.which("java")
    if program is None:
        _missing(
            "no Java (Debian: apt-get install default-jre-headless): the forms of tablets are NOT"
            " judged by ODK Validate"
        )
    return str(program)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Debian's browser."""
    places = ("/usr/bin/chromium", "/usr/bin/chromium-browser")
    browser = next((path for path in places if Path(path).exists()), None)
    if browser is None:
        _missing(
            "no Chromium in /usr/bin (Debian: apt-get install chromium): the pages are NOT tested"
        )
    return str(browser)


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    """A short folder for the servers of this session (of this pytest-xdist worker)."""
    with tempfile.TemporaryDirectory(
        prefix="ikm-test-", dir="/tmp", ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def server_user(server_folder: Path) -> Account | None:
    """The user that the servers run as (root gives them to an ordinary one)."""
    try:
        account = dedicated_account()
    except CannotStart as error:
        _missing(str(error))
        raise
    give(server_folder, account)
    return account


@pytest.fixture(scope="session")
def postgres_server(server_folder: Path, server_user: Account | None) -> Iterator[Postgres]:
    """The PostgreSQL of the session, with the migrated template; to be killed: `own_postgres`."""
    server = Postgres(
        server_folder / "pg", server_folder / "s", server_folder / "pg.log", server_user, FAST
    )
    server.start()
    try:
        with server.connect("postgres") as connection:
            connection.execute(f"CREATE DATABASE {TEMPLATE}")
        server.prepare_roles(TEMPLATE)
        migrate.upgrade(server.database_url(TEMPLATE, MIGRATE))
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def redis_server(server_folder: Path, server_user: Account | None) -> Iterator[Redis]:
    """The Redis of the session; to be stopped or killed: `own_redis`."""
    server = Redis(
        server_folder / "redis", server_folder / "s", server_folder / "redis.log", server_user
    )
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def database_url(postgres_server: Postgres) -> Iterator[str]:
    """A database of the test's own, cloned from the migrated template."""
    name = f"t_{uuid.uuid4().hex[:16]}"
    with postgres_server.connect("postgres") as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        yield postgres_server.database_url(name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def redis_url(redis_server: Redis) -> str:
    """An empty Redis."""
    client = redis_server.connect()
    client.flushall()
    client.close()
    return redis_server.url


@pytest.fixture
def own_folder() -> Iterator[Path]:
    """A short folder for servers of the test's own."""
    with tempfile.TemporaryDirectory(
        prefix="ikm-own-", dir="/tmp", ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)


@pytest.fixture
def own_redis(own_folder: Path, server_user: Account | None) -> Iterator[Redis]:
    """A Redis of the test's own: it may be stopped, killed, frozen and started again."""
    give(own_folder, server_user)
    server = Redis(own_folder / "redis", own_folder / "r", own_folder / "redis.log", server_user)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@pytest.fixture
def own_postgres(own_folder: Path, server_user: Account | None) -> Iterator[Postgres]:
    """A PostgreSQL of the test's own, migrated: it may be stopped, killed and started again."""
    give(own_folder, server_user)
    # A test that kills it asks what survives: so everything is on here.
    server = Postgres(own_folder / "pg", own_folder / "p", own_folder / "pg.log", server_user)
    server.start()
    try:
        migrate.upgrade(server.url)
        yield server
    finally:
        server.kill()
