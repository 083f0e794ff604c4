"""Imports: their rate beside merely reading the file, and the memory that they take.

    python -m benchmarks.imports

A CSV of 1,000,000 rows and an XLSX of 100,000, read from PostgreSQL's pieces to the inbox in a
process of its own, with an inbox that is emptied as fast as it fills. The yardstick is the same
reader over the same pieces, its rows thrown away.
"""

import importlib
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.load.sample import CHANNEL
from benchmarks.running.product import prepare
from benchmarks.running.stores import stores

CSV_ROWS, XLSX_ROWS = 1_000_000, 100_000
_HEADINGS = (
    *("No", "Jenis Kelamin", "Pendidikan Terakhir", "Pekerjaan", "Jenis Layanan"),
    *(f"U{number}" for number in range(1, 10)),
    "Saran/Masukan",
)
_OPTIONS: dict[str, Any] = {"preset": "template", "opd": "opd-01", "day": "2026-05-04"}


def rows(count: int, layanan: str) -> Iterator[tuple[str | int, ...]]:
    """Yield the rows of a survey."""
    drawn = random.Random(1)
    for number in range(1, count + 1):
        scores = drawn.choices((1, 2, 3, 4), (1, 3, 20, 30), k=9)
        profile = drawn.choice("LP"), drawn.choice(("SMA", "D3", "S1")), "Swasta"
        yield (number, *profile, layanan, *scores, drawn.choice(("", "", "Cepat dan ramah")))


def write_csv(path: Path, layanan: str) -> None:
    """Write the CSV file."""
    with path.open("w", encoding="utf-8") as file:
        file.write(";".join(_HEADINGS) + "\n")
        file.writelines(";".join(map(str, row)) + "\n" for row in rows(CSV_ROWS, layanan))


def write_xlsx(path: Path, layanan: str) -> None:
    """Write the XLSX file."""
    xlsxwriter: Any = importlib.import_module("xlsxwriter")  # has no types
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    sheet = book.add_worksheet("Data_Survei_Mentah")
    sheet.write_row(0, 0, _HEADINGS)
    for line, row in enumerate(rows(XLSX_ROWS, layanan), 1):
        sheet.write_row(line, 0, row)
    book.close()


def measured(step: str, path: str, channel: str) -> None:
    """In a process of its own: do one step and print its seconds and its memory."""
    from redis import Redis  # noqa: PLC0415 (memory before it is part of what is measured)

    from services.aggregate.imports import running  # noqa: PLC0415 (the same)
    from services.aggregate.imports.opening import read_table  # noqa: PLC0415 (the same)
    from services.aggregate.imports.options import ImportOptions  # noqa: PLC0415 (the same)
    from shared.settings import Settings  # noqa: PLC0415 (the same)
    from shared.storage.engine import create_engine, transaction  # noqa: PLC0415 (the same)
    from shared.storage.imports import files  # noqa: PLC0415 (the same)

    settings = Settings.load()
    engine = create_engine(settings.need_database())
    redis = Redis.from_url(settings.need_redis())
    idle_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    import_id = uuid.uuid4()
    with transaction(engine) as connection, Path(path).open("rb") as file:
        files.begin(connection, import_id, channel, _OPTIONS)
        number = 0
        while piece := file.read(512 * 1024):
            files.keep_piece(connection, import_id, number, piece)
            number += 1
        files.end_of_file(connection, import_id, Path(path).stat().st_size)
    started_s = time.perf_counter()
    if step == "read":
        options = ImportOptions(**_OPTIONS)
        count = sum(1 for _ in read_table(files.pieces(engine, import_id), options).rows)
        with transaction(engine) as connection:
            files.cancel(connection, import_id)
            files.tidy(connection)
    else:
        emptied = _emptying(redis, settings.redis_prefix)
        place = running.Workplace(engine, redis, settings, emptied)
        running.run_next(place)
        with engine.connect() as connection:
            status = files.status(connection, import_id)
        assert status is not None
        assert (status["state"], status["refused"]) == ("done", 0), status
        count = status["accepted"]
    seconds = time.perf_counter() - started_s
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    mib = (peak_kib - idle_kib) / 1024
    print(json.dumps({"rows": count, "seconds": seconds, "mib": mib}))


def _emptying(redis: Any, prefix: str) -> Callable[[], None]:  # noqa: ANN401 (a client)
    """Return what empties the inbox, in place of the counting that is not measured here."""

    def empty() -> None:
        redis.delete(f"{prefix}inbox", f"{prefix}inbox:state")

    return empty


def main() -> None:
    """Measure both files and print the ratios."""
    with tempfile.TemporaryDirectory(prefix="ikm-imports-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with stores(folder, frozenset(os.sched_getaffinity(0))) as servers:
            product = prepare(servers)
            environment = {**os.environ, **product.environment}
            for write, path in (
                (write_csv, folder / "survei.csv"),
                (write_xlsx, folder / "survei.xlsx"),
            ):
                write(path, "layanan-1")
                told = {
                    step: json.loads(
                        subprocess.run(
                            [sys.executable, "-m", "benchmarks.imports", step, str(path), CHANNEL],
                            env=environment,
                            check=True,
                            capture_output=True,
                            text=True,
                        ).stdout
                    )
                    for step in ("read", "import")
                }
                ratio = told["read"]["seconds"] / told["import"]["seconds"]
                rate = told["import"]["rows"] / told["import"]["seconds"]
                print(
                    f"{path.name}: {told['import']['rows']:,} rows, {rate:,.0f}/s, "
                    f"{ratio:.2f} x merely reading, {told['import']['mib']:.0f} MiB above idle"
                )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measured(*sys.argv[1:])
    else:
        main()
