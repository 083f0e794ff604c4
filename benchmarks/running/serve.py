"""Serves any ASGI application with the product's own `serve` command and its settings.

`python -m benchmarks.running.serve MODULE:FACTORY PORT`
"""

import sys

from services.ops.commands import run


def main(application: str, port: str) -> None:
    """Serve `application` (a factory) on 127.0.0.1."""
    run.APPLICATIONS["ingest"] = application
    sys.exit(run.serve.main(["ingest", "--port", port], prog_name="serve", standalone_mode=False))


if __name__ == "__main__":
    main(*sys.argv[1:])
