"""`ikm qr` and `ikm ticket create`, as an operator uses them."""

import csv
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from services.ops.cli import cli
from services.ops.registry.keys import TicketsOnly, UnknownOpd
from services.ops.registry.places import UnknownLayanan
from services.ops.registry.tickets import NoTicketChannel
from shared.domain.submission.ticket import read_ticket
from shared.storage.engine import opened, transaction
from shared.storage.registry import stored_registry

Ikm = Callable[..., Result]
CITY = """
instansi: {code: kota, name: Kota, timezone: Asia/Jakarta}
opd:
  - {code: dinas, name: Dinas, layanan: [{code: ktp, name: KTP}, {code: kk, name: KK}]}
  - {code: lain, name: Lain, layanan: [{code: lama, name: Lama, valid_to: 2020-01-01}]}
channels: [{name: tiket, kind: tiket, opd: [dinas]}]
"""
OPEN = """
opd: [{code: lain, name: Lain, layanan: [{code: baru, name: Baru}]}]
"""
URL = ("--base-url", "https://ikm.kota.go.id")
TICKET = ("ticket", "create", "--opd", "dinas", "--layanan", "ktp")


@pytest.fixture
def ikm(database_url: str, redis_url: str, tmp_path: Path) -> Ikm:
    environment = {
        "IKM_HOME": str(tmp_path),
        "IKM_DATABASE_URL": database_url,
        "IKM_REDIS_URL": redis_url,
    }

    def run(*arguments: str, source: str = "") -> Result:
        runner = CliRunner(env=environment)
        return runner.invoke(cli, arguments, input=source.encode(), standalone_mode=False)

    run("apply", "-", source=CITY)
    return run


def secret_of(database_url: str) -> bytes:
    with opened(database_url) as engine, transaction(engine) as connection:
        return stored_registry.read_secret(connection)


def files(folder: Path) -> dict[str, int]:
    return {
        str(path.relative_to(folder)): path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_city_is_printed_and_printed_again_changes_no_file(ikm: Ikm, tmp_path: Path) -> None:
    out = tmp_path / "cetak"
    first = ikm("qr", "--all", "--out", str(out), *URL)
    assert "2 signs, 7 files, 7 written" in first.stdout
    stems = {"dinas/ktp", "dinas/kk"}
    before = files(out)
    assert before.keys() == {
        "semua.pdf",
        *(f"{stem}.{ending}" for stem in stems for ending in ("svg", "png", "pdf")),
    }
    again = ikm("qr", "--all", "--out", str(out), *URL)
    assert "2 signs, 7 files, 0 written" in again.stdout
    assert files(out) == before


def test_a_new_layanan_and_a_lost_file_are_written_next_time(ikm: Ikm, tmp_path: Path) -> None:
    out = tmp_path / "cetak"
    ikm("qr", "--all", "--out", str(out), *URL)
    (out / "dinas" / "kk.svg").unlink()
    ikm("apply", "-", source=OPEN)
    again = ikm("qr", "--all", "--out", str(out), *URL)
    assert "3 signs, 10 files, 5 written" in again.stdout  # kk.svg, three of `baru`, semua.pdf


def test_each_point_has_a_sign_of_its_own(ikm: Ikm, tmp_path: Path) -> None:
    points = ("--point", "loket-1", "--point", "loket-2")
    result = ikm("qr", "--opd", "dinas", "--layanan", "ktp", *points, "--out", str(tmp_path), *URL)
    assert "2 signs" in result.stdout
    assert {path.name for path in tmp_path.glob("dinas/*.svg")} == {
        "ktp@loket-1.svg",
        "ktp@loket-2.svg",
    }


def test_without_a_folder_the_terminal_shows_the_code(ikm: Ikm) -> None:
    result = ikm("qr", "--opd", "dinas", "--layanan", "ktp", "--point", "loket-3")
    assert "http://127.0.0.1:8000/s/dinas/ktp?p=loket-3" in result.stdout
    assert "▄▄▄▄▄" in result.stdout
    assert "--base-url" in result.stderr


def test_without_any_wish_one_page_is_shown_to_be_tried(ikm: Ikm) -> None:
    title, address, *code = ikm("qr", *URL).stdout.splitlines()
    assert (title, address) == ("Dinas: KK", "https://ikm.kota.go.id/s/dinas/kk")
    assert code[0] == "█" * len(code[0])


@pytest.mark.parametrize(
    "arguments",
    [
        ("--all",),
        ("--out", "x"),
        ("--layanan", "ktp"),
        ("--all", "--opd", "dinas", "--out", "x"),
    ],
)
def test_half_a_wish_is_no_use(ikm: Ikm, arguments: tuple[str, ...]) -> None:
    assert isinstance(ikm("qr", *arguments).exception, click.UsageError)


def test_what_is_not_open_has_no_sign(ikm: Ikm) -> None:
    assert isinstance(ikm("qr", "--opd", "nowhere", *URL).exception, UnknownOpd)
    assert isinstance(ikm("qr", "--opd", "lain", *URL).exception, UnknownLayanan)


def test_tickets_of_two_calls_are_all_different_and_all_good(ikm: Ikm, database_url: str) -> None:
    lines = [
        line
        for _ in range(2)
        for line in csv.DictReader(StringIO(ikm(*TICKET, "--count", "20", *URL).stdout))
    ]
    secret = secret_of(database_url)
    serials = {
        ticket.serial
        for line in lines
        if (ticket := read_ticket(secret, line["code"], [("dinas", "ktp")]))
    }
    assert serials == set(range(40))


def test_tickets_in_a_folder_are_for_their_owner_alone(ikm: Ikm, tmp_path: Path) -> None:
    ikm(*TICKET, "--count", "2", "--out", str(tmp_path / "t"), *URL)
    ikm(*TICKET, "--count", "1", "--out", str(tmp_path / "t"), *URL)
    made = sorted((tmp_path / "t").iterdir())
    assert [path.name for path in made] == [
        "tiket-dinas-ktp-0.csv",
        "tiket-dinas-ktp-0.pdf",
        "tiket-dinas-ktp-2.csv",
        "tiket-dinas-ktp-2.pdf",
    ]
    assert {path.stat().st_mode & 0o777 for path in made} == {0o600}


def test_tickets_that_no_channel_takes_are_not_made(ikm: Ikm) -> None:
    ikm("apply", "-", source=OPEN)
    arguments = ("ticket", "create", "--opd", "lain", "--layanan", "baru", "--count", "1", *URL)
    result = ikm(*arguments)
    assert isinstance(result.exception, NoTicketChannel)
    assert "kind: tiket" in str(result.exception)


def test_the_channel_of_tickets_has_no_keys(ikm: Ikm) -> None:
    assert isinstance(ikm("key", "create", "tiket").exception, TicketsOnly)
