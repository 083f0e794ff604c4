"""The command `ikm up`: everything on one machine, in the foreground, until Ctrl-C."""

import os
import signal
import socket
import threading
import time
from typing import TYPE_CHECKING, NoReturn

import click

from shared.domain.errors import IkmError

if TYPE_CHECKING:
    from services.ops.client import Client
    from services.ops.stack.example import Example
    from services.ops.stack.stack import Stack
    from shared.settings import Settings


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Port; 0: any that is free.  [default: IKM_PORT or 8000]",
)
@click.option(
    "--host",
    help="Address; 0.0.0.0: also from outside.  [default: IKM_HOST or 127.0.0.1]",
)
@click.option(
    "--home",
    type=click.Path(file_okay=False),
    help="Folder of all state.  [default: IKM_HOME or ./.ikm]",
)
@click.option(
    "--example",
    "name",
    metavar="NAME",
    help="Apply examples/NAME, and replay its responses if it has any.",
)
@click.option("--fd", type=click.IntRange(3), hidden=True, help="A listening socket from root.")
def up(
    port: int | None, host: str | None, home: str | None, name: str | None, fd: int | None
) -> None:
    """Run everything here, until Ctrl-C.

    PostgreSQL, Redis, the API, the workers and the schedule, each started again when it ends.
    Ctrl-C stops all of it; the data stays in the home. Where IKM_DATABASE_URL or IKM_REDIS_URL is
    set, that server is used and no embedded one is started. Started by root, it becomes the account
    `ikm`, or the owner of the home, before anything else.
    """
    from services.ops.account.account import is_root
    from services.ops.stack.example import find
    from services.ops.stack.folders import claimed
    from services.ops.stack.listener import listen
    from services.ops.stack.stack import Stack
    from shared.settings import Settings

    if home is not None:
        os.environ["IKM_HOME"] = home
    example = None if name is None else find(name)
    host = host or Settings.load().host
    if is_root():
        _become_account(Settings.load(), host, port, example)
    os.umask(0o077)  # what we and our processes write is for nobody else
    folder = Settings.load().home.resolve()
    with claimed(folder):
        settings = Settings.load()  # anew: now without what an earlier stack left in the home
        chosen = settings.port if port is None else port
        with listen(host, chosen) if fd is None else socket.socket(fileno=fd) as listener:
            _end_on_signals()
            _run(Stack(folder, settings, listener, _say), example)


def _become_account(
    settings: "Settings", host: str, port: int | None, example: "Example | None"
) -> NoReturn:
    """Go on as the same command of an account that is not root."""
    from services.ops.account.handover import become_account, needs_root
    from services.ops.stack.listener import listen

    chosen = settings.port if port is None else port
    arguments = ["up", "--host", host, "--port", str(chosen)]
    if example is not None:
        arguments += ["--example", example.folder.name]
    descriptors = []
    if needs_root(chosen):
        descriptors = [listen(host, chosen).detach()]
        arguments += ["--fd", str(descriptors[0])]
    folder = None if example is None else example.folder
    become_account(settings.home, folder, arguments, descriptors, _say)


def _run(stack: "Stack", example: "Example | None") -> None:
    started = time.monotonic()
    try:
        _start(stack, example, started)
        stack.watch()
    except KeyboardInterrupt:
        _say("\nberhenti … / stopping …")
    finally:
        stack.stop()
    _say(f"berhenti; data tetap di / stopped; the data stays in {stack.home}")


def _start(stack: "Stack", example: "Example | None", started: float) -> None:
    from services.ops.stack.survey import survey_lines

    def step(text: str) -> None:
        _say(f"{time.monotonic() - started:5.1f} s  {text}")

    _say(f"IKM Live di / in {stack.home}")
    step("server data / data servers: PostgreSQL, Redis")
    stack.start_servers()
    step("tabel / tables")
    stack.command("migrate")
    if example is not None:
        step(f"contoh / example: {example.folder.name}")
        stack.command("apply", str(example.registry_file))
    step("layanan / service: web, worker, beat")
    stack.start_processes()
    has_registry = stack.wait_ready()
    step("siap / ready")
    _say(f"\n  Indeks / index   {stack.addresses.web}/")
    _say(f"  API              {stack.addresses.web}/docs")
    if has_registry:
        for line in survey_lines(stack):
            _say(line)
    if example is not None:
        _offer(stack, example)
    elif not has_registry:
        _say("  Registri         masih kosong / is still empty: ikm apply FILE")
    _say(f"  Log              {stack.logs}\n  Berhenti / stop  Ctrl-C")


def _offer(stack: "Stack", example: "Example") -> None:
    from services.ops.stack.example import KEY_FILE, STREAM_KEY_FILE, kept_key

    def key(file: str, channel: str) -> str:
        return kept_key(
            stack.home / file,
            stack.client,
            lambda: stack.command("key", "create", channel, "--submit", "--read").split()[-1],
        )

    _say(f"  Kunci / key      {key(KEY_FILE, example.channel())}")
    _say(f"                   (kanal / channel {example.channel()}; {stack.home / KEY_FILE})")
    if example.stream():
        arguments = (example, stack.client, key(STREAM_KEY_FILE, example.stream_channel()))
        # A thread for what only talks HTTP: the processes belong to this one (see Stack).
        threading.Thread(target=_replay, args=arguments, daemon=True).start()


def _replay(example: "Example", client: "Client", key: str) -> None:
    from services.ops.stack.example import replay

    try:
        replay(example, client, key, _say)
    except IkmError as error:
        _say(f"contoh / example: {error}")


def _say(text: str) -> None:
    click.echo(text)


def _end_on_signals() -> None:
    """Treat `kill` and the end of the terminal as Ctrl-C; the latter not under nohup."""
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a shell's background job starts with it ignored
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.default_int_handler)
