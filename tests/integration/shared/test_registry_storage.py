"""The registry in a real PostgreSQL: applied once, the same ever after, and nothing is orphaned."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from threading import Thread
from uuid import uuid4

import pytest
import sqlalchemy as sa

from shared.domain.questionnaire import SKM_2017
from shared.registry.change import Change, EntryKind
from shared.registry.file import RegistryError, parse
from shared.registry.snapshot import AccessKey, Registry
from shared.storage import tables
from shared.storage.engine import opened, transaction
from shared.storage.registry import access_keys, registry_change, stored_registry
from tests.integration.access import stored_key

NOW = datetime(2026, 5, 4, 3, 0, tzinfo=UTC)  # 10:00 in Jakarta
TODAY = date(2026, 5, 4)
INSTANSI = "instansi: {code: kota, name: Kota, timezone: Asia/Jakarta}\n"
OPDS = """
opd:
  - code: lama
    name: Dinas Lama
    official_code: "110"
    valid_to: 2026-12-31
    successor: baru
    layanan:
      - {code: ktp, name: KTP, users_per_year: 12000, valid_from: 2020-01-01}
      - {code: kk, name: KK}
  - code: baru
    name: Dinas Baru
    ticket_required: true
    layanan: [{code: ktp, name: KTP, questionnaire: spkp}]
"""
REST = """
questionnaires:
  - code: spkp
    name: Persepsi
    unsur:
      - {code: P1, key: p, name: P, question: P, options: [a, b, c, d], required: false, weight: 2}
channels: [{name: loket, kind: api, opd: [lama]}, {name: semua, kind: api}]
"""
WHOLE = INSTANSI + OPDS + REST


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    with opened(database_url) as engine:
        yield engine


def change(
    engine: sa.Engine,
    source: str,
    *,
    now: datetime = NOW,
    prune: bool = False,
    dry_run: bool = False,
) -> list[Change]:
    with transaction(engine) as connection:
        return registry_change.apply(connection, parse(source), now, prune=prune, dry_run=dry_run)


def load(engine: sa.Engine) -> Registry:
    with transaction(engine) as connection:
        return stored_registry.load(connection)


def versions(engine: sa.Engine) -> dict[str, tuple[int, int]]:
    with transaction(engine) as connection:
        return {
            row.opd: (row.version, row.past_version)
            for row in connection.execute(sa.select(tables.opd_state))
        }


def respond(
    engine: sa.Engine,
    day: date,
    opd: str = "lama",
    layanan: str = "ktp",
    questionnaire: str = "skm-2017",
) -> None:
    """One counted response, as far as the registry looks at it."""
    with transaction(engine) as connection:
        receipt = {"receipt": uuid4(), "channel": "semua", "source_id": "1", "received_at": NOW}
        connection.execute(sa.insert(tables.receipt).values(**receipt, state="counted", digest=0))
        row = {
            "opd": opd,
            "facet": "all",
            "day": day,
            "layanan": layanan,
            "value": "",
            "questionnaire": questionnaire,
        }
        sums = {"n": 1, "counts": [0], "complete": 1, "total": 1, "total_sq": 1}
        connection.execute(sa.insert(tables.day_tally).values(**row, **sums))


@contextmanager
def unchanged(engine: sa.Engine) -> Iterator[None]:
    before, touched = load(engine), versions(engine)
    yield
    assert load(engine) == before
    assert versions(engine) == touched


def test_a_database_without_a_registry_holds_the_empty_one(engine: sa.Engine) -> None:
    assert load(engine) == Registry.empty()


def test_what_was_applied_is_what_is_loaded(engine: sa.Engine) -> None:
    desired = parse(WHOLE)
    change(engine, WHOLE)
    loaded = load(engine)
    assert loaded.instansi == desired.instansi
    assert loaded.opd == desired.opd
    assert loaded.channels == desired.channels
    assert loaded.questionnaires == {"skm-2017": SKM_2017, **desired.questionnaires}
    assert Registry.decode(loaded.encode()) == loaded


def test_a_second_apply_changes_nothing(engine: sa.Engine) -> None:
    assert change(engine, WHOLE)
    with unchanged(engine):
        assert change(engine, WHOLE, now=NOW + timedelta(days=1)) == []
        assert change(engine, WHOLE, now=NOW + timedelta(days=1), prune=True) == []


def test_a_dry_run_shows_the_difference_and_changes_nothing(engine: sa.Engine) -> None:
    with unchanged(engine):
        assert len(change(engine, WHOLE, dry_run=True)) == 9
    assert len(change(engine, WHOLE)) == 9


def test_every_field_can_be_changed_back_and_forth(engine: sa.Engine) -> None:
    bare = "opd: [{code: lama, name: L, layanan: [{code: ktp, name: K}, {code: kk, name: KK}]}]"
    change(engine, WHOLE)
    assert [changed.kind for changed in change(engine, bare)] == [
        EntryKind.REOPEN,
        EntryKind.CHANGE,
    ]
    assert load(engine).opd["lama"] == parse(bare).opd["lama"]
    change(engine, WHOLE)
    assert load(engine).opd == parse(WHOLE).opd


def test_the_version_is_the_time_in_milliseconds_and_only_grows(engine: sa.Engine) -> None:
    change(engine, WHOLE)
    first = load(engine).version
    assert first == int(NOW.timestamp() * 1000)
    change(
        engine, "channels: [{name: a, kind: api}]", now=NOW - timedelta(days=400)
    )  # a clock that was set back
    assert load(engine).version == first + 1
    change(engine, "channels: [{name: b, kind: api}]", now=NOW + timedelta(seconds=1))
    assert load(engine).version == first + 1000


def test_each_opd_gets_its_state_and_a_change_makes_it_stale(engine: sa.Engine) -> None:
    change(engine, WHOLE)
    assert versions(engine) == {"baru": (1, 1), "lama": (1, 1)}
    change(
        engine,
        "opd: [{code: baru, name: Dinas Baru,"
        " layanan: [{code: ktp, name: KTP, users_per_year: 5}]}]",
    )
    assert versions(engine) == {"baru": (2, 2), "lama": (1, 1)}
    change(engine, "channels: [{name: kios, kind: api}]")
    assert versions(engine) == {"baru": (2, 2), "lama": (1, 1)}
    change(engine, "instansi: {code: kota, name: Kota, timezone: Asia/Jakarta, scheme: '0.11'}")
    assert versions(engine) == {"baru": (3, 3), "lama": (2, 2)}


def test_prune_closes_what_the_file_does_not_name_and_deletes_nothing(engine: sa.Engine) -> None:
    change(engine, WHOLE)
    before = load(engine)
    change(
        engine,
        "opd: [{code: baru, name: Dinas Baru}]\nchannels: [{name: semua, kind: api}]",
        prune=True,
    )
    after, yesterday = load(engine), date(2026, 5, 3)
    assert after.opd["lama"] == replace(before.opd["lama"], valid_to=yesterday)
    assert after.opd["baru"].layanan["ktp"].valid_to == yesterday
    assert after.channels["loket"] == replace(before.channels["loket"], valid_to=yesterday)
    assert after.channels["semua"].valid_to is None
    assert after.questionnaires == before.questionnaires


def test_yesterday_is_a_day_of_the_instansi(engine: sa.Engine) -> None:
    change(engine, WHOLE)
    change(
        engine, INSTANSI + OPDS, now=datetime(2026, 5, 4, 18, 0, tzinfo=UTC), prune=True
    )  # 5 May in Jakarta
    assert load(engine).channels["loket"].valid_to == TODAY


def test_prune_leaves_an_opd_open_until_its_last_response(engine: sa.Engine) -> None:
    change(engine, WHOLE)
    respond(engine, TODAY)
    change(engine, INSTANSI, prune=True)
    loaded = load(engine)
    assert loaded.opd["lama"].valid_to == TODAY
    assert loaded.opd["baru"].valid_to == TODAY - timedelta(days=1)


def test_a_refused_file_changes_nothing_at_all(engine: sa.Engine) -> None:
    change(engine, WHOLE)
    respond(engine, TODAY)
    respond(engine, TODAY - timedelta(days=9), layanan="kk", questionnaire="spkp")
    refused = (
        WHOLE.replace("code: kota", "code: kabupaten")
        .replace("Asia/Jakarta", "Asia/Makassar")
        .replace("weight: 2", "weight: 3")
        .replace("2026-12-31", "2026-05-03")
        .replace("name: KK", "name: KK, valid_from: 2026-05-01")
        .replace("successor: baru", "successor: bari")
        .replace("opd: [lama]", "opd: [lima]")
    )
    with unchanged(engine), pytest.raises(RegistryError) as caught:
        change(engine, refused)
    assert [violation.pointer for violation in caught.value.violations] == [
        "instansi kabupaten.code",
        "instansi kabupaten.timezone",
        "questionnaire spkp",
        "opd lama.valid_to",
        "layanan lama/kk.valid_from",
        "opd lama.successor",
        "channel loket.opd",
    ]


def test_before_there_are_data_everything_may_be_mended(engine: sa.Engine) -> None:
    change(engine, WHOLE)
    mended = (
        WHOLE.replace("code: kota", "code: kabupaten")
        .replace("Jakarta", "Makassar")
        .replace("weight: 2", "weight: 3")
    )
    assert len(change(engine, mended)) == 2
    assert load(engine).instansi == parse(mended).instansi
    assert load(engine).questionnaires["spkp"].total_weight == 3


def test_two_changes_at_once_are_made_one_after_the_other(engine: sa.Engine) -> None:
    change(engine, WHOLE)
    first = load(engine).version
    threads = [
        Thread(target=change, args=(engine, f"channels: [{{name: kios-{number}, kind: api}}]"))
        for number in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert load(engine).version == first + 3
    assert {f"kios-{number}" for number in range(3)} <= load(engine).channels.keys()


def test_a_snapshot_holds_the_keys_that_are_not_revoked(engine: sa.Engine) -> None:
    change(engine, WHOLE)
    with transaction(engine) as connection:
        for number, channel in (("1", "loket"), ("2", "semua")):
            access_keys.store(connection, f"secret-{number}", stored_key(number, channel, NOW))
        assert access_keys.revoke(connection, "1", NOW)
        assert not access_keys.revoke(connection, "1", NOW)
        assert not access_keys.revoke(connection, "3", NOW)
        assert [(key.id, key.revoked_at) for key in access_keys.list_keys(connection)] == [
            ("1", NOW),
            ("2", None),
        ]
    assert load(engine).keys == {access_keys.key_hash("secret-2"): AccessKey("2", "semua")}
