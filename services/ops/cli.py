"""The command `ikm`: a table of its commands, and one line for every error that can be named."""

import sys
from contextlib import suppress
from importlib import import_module, metadata

import click

from services.ops.errors import InUse
from shared.domain.errors import IkmError

# Loaded when they are run (or listed by --help), so that a command costs only what it needs.
COMMANDS: dict[str, str] = {
    "up": "services.ops.commands.up:up",
    "apply": "services.ops.commands.apply:apply",
    "key": "services.ops.commands.key:key",
    "secret": "services.ops.commands.secret:secret",
    "qr": "services.ops.commands.qr:qr",
    "ticket": "services.ops.commands.ticket:ticket",
    "odk-settings": "services.ops.commands.odk_settings:odk_settings",
    "status": "services.ops.commands.status:status",
    "parked": "services.ops.commands.parked:parked",
    "verify": "services.ops.commands.verify:verify",
    "rebuild": "services.ops.commands.rebuild:rebuild",
    "import": "services.ops.commands.transfer.import_:import_",
    "simulate": "services.ops.commands.simulate:simulate",
    "relay": "services.ops.relay.command:relay",
    "serve": "services.ops.commands.run:serve",
    "worker": "services.ops.commands.run:worker",
    "beat": "services.ops.commands.run:beat",
    "migrate": "services.ops.commands.run:migrate",
}

# What a server that is not there looks like in the libraries that talk to it. A library that this
# run has not loaded cannot have raised anything.
_UNREACHABLE: dict[str, tuple[str, ...]] = {
    "redis.exceptions": ("ConnectionError", "TimeoutError"),
    "psycopg": ("OperationalError",),
    "sqlalchemy.exc": ("OperationalError",),
    "kombu.exceptions": ("OperationalError",),
}
_INTERRUPTED = 130  # 128 + SIGINT, as shells have it


class _Commands(click.Group):
    """The commands of COMMANDS, in its order."""

    # The signatures are click's.
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 (click's signature)
        cmd_name: str,
    ) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command


def _version() -> str:
    try:
        return metadata.version("ikm")
    except metadata.PackageNotFoundError:
        return "(not installed)"


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(_version(), "-V", "--version", prog_name="ikm")
def cli() -> None:
    """IKM Live: the satisfaction index of public services, exact and current.

    `ikm up` runs everything on this machine. The other commands find the running stack through
    IKM_HOME (default: ./.ikm), or use the servers that IKM_DATABASE_URL and IKM_REDIS_URL name.
    """


def main() -> None:
    """Run the command; exit 0 ok, 1 failed or found something, 2 wrong use or set-up."""
    try:
        result = cli.main(prog_name="ikm", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(_INTERRUPTED)
    except Exception as error:
        if not isinstance(error, _named_errors()) or _debugging():
            raise
        from shared.settings import ConfigurationError

        click.echo(f"ikm: {_explain(error)}", err=True)
        sys.exit(2 if isinstance(error, ConfigurationError | InUse) else 1)
    sys.exit(result if isinstance(result, int) else 0)


def _debugging() -> bool:
    from shared.settings import ConfigurationError, Settings

    with suppress(ConfigurationError):
        return Settings.load().debug
    return False


def _explain(error: Exception) -> str:
    if isinstance(error, _unreachable()):
        first = str(error).strip().partition("\n")[0] or type(error).__name__
        return f"a server cannot be reached (is `ikm up` running?): {first}"
    return str(error)


def _named_errors() -> tuple[type[Exception], ...]:
    """The errors that one line explains; any other is a fault of ours and shows its traceback."""
    return (IkmError, OSError, *_unreachable())


def _unreachable() -> tuple[type[Exception], ...]:
    loaded = [
        (sys.modules[module], names)
        for module, names in _UNREACHABLE.items()
        if module in sys.modules
    ]
    return (ConnectionError, *(getattr(module, name) for module, names in loaded for name in names))


if __name__ == "__main__":
    main()
