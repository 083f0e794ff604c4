"""The registry snapshot: what it says yes to, and that its bytes give it back."""

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.questionnaire import SKM_2017, Questionnaire, Unsur
from shared.registry.snapshot import AccessKey, Channel, Instansi, Layanan, Opd, Registry

codes = st.from_regex(r"[a-z0-9][a-z0-9-]{0,10}", fullmatch=True)
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
days = st.none() | st.dates()


def by(key: str, entries: st.SearchStrategy[object]) -> st.SearchStrategy[dict[str, object]]:
    return st.lists(entries, max_size=4).map(
        lambda drawn: {getattr(entry, key): entry for entry in drawn}
    )


layanan = st.builds(
    Layanan, codes, texts, st.none() | st.integers(1, 10**6), st.none() | codes, days, days
)
opd = st.builds(
    Opd, codes, texts, st.none() | texts, days, days, st.none() | codes, by("code", layanan)
)
channel = st.builds(Channel, codes, codes, st.none() | st.frozensets(codes), days, days)
key = st.builds(
    AccessKey,
    codes,
    st.none() | codes,
    st.booleans(),
    st.booleans(),
    st.none() | st.frozensets(codes),
)
unsur = st.builds(
    Unsur, codes, codes, texts, texts, st.tuples(texts, texts, texts, texts), st.booleans()
)
questionnaire = st.builds(Questionnaire, codes, texts, st.tuples(unsur))
registries = st.builds(
    Registry,
    st.integers(0, 2**52),
    st.builds(
        Instansi,
        codes,
        texts,
        st.sampled_from(["Asia/Jakarta", "UTC"]),
        st.sampled_from(["pooled", "mean"]),
    ),
    by("code", opd),
    by("name", channel),
    by("id", key),
    by("code", questionnaire),
)

OWN = Questionnaire("spkp", "Persepsi", (Unsur("P1", "p", "P", "P?", ("a", "b", "c", "d")),))
REGISTRY = Registry(
    version=7,
    instansi=Instansi("kota", "Kota", "Asia/Jakarta"),
    opd={
        "dinas": Opd(
            "dinas",
            "Dinas",
            layanan={"a": Layanan("a", "A"), "b": Layanan("b", "B", questionnaire="spkp")},
        )
    },
    channels={"loket": Channel("loket", "api")},
    questionnaires={"skm-2017": SKM_2017, "spkp": OWN},
)


@given(registries)
def test_the_bytes_of_a_registry_give_the_same_registry(registry: Registry) -> None:
    assert Registry.decode(registry.encode()) == registry


@given(registries)
def test_equal_registries_have_equal_bytes(registry: Registry) -> None:
    assert Registry.decode(registry.encode()).encode() == registry.encode()


def test_bytes_that_are_no_registry_are_refused() -> None:
    with pytest.raises(msgspec.DecodeError):
        Registry.decode(b'{"version": "new"}')


def test_a_snapshot_with_fields_of_another_version_is_read_for_what_it_has() -> None:
    older = msgspec.json.decode(Registry.empty().encode())
    older["instansi"]["profile"] = older["instansi"].pop("scheme")
    for questionnaire in older["questionnaires"].values():
        questionnaire["scheme"] = questionnaire.pop("regulation")
    assert Registry.decode(msgspec.json.encode(older)) == Registry.empty()


def test_the_empty_registry_knows_the_built_in_questionnaire_and_nothing_else() -> None:
    empty = Registry.empty()
    assert empty.version == 0
    assert [*empty.opd, *empty.channels, *empty.keys] == []
    assert empty.questionnaires == {"skm-2017": SKM_2017}


@pytest.mark.parametrize(
    ("opd", "layanan", "named", "expected"),
    [
        ("dinas", "a", None, SKM_2017),
        ("dinas", "b", None, OWN),
        ("dinas", "b", "skm-2017", SKM_2017),
        ("dinas", "a", "spkp", OWN),
        ("dinas", "a", "spkp-2", None),
        ("dinas", "unknown", None, SKM_2017),
        ("unknown", "a", None, SKM_2017),
        ("unknown", "a", "spkp", OWN),
    ],
)
def test_the_questionnaire_is_the_named_one_then_that_of_the_layanan_then_skm_2017(
    opd: str, layanan: str, named: str | None, expected: Questionnaire | None
) -> None:
    assert REGISTRY.questionnaire_for(opd, layanan, named) == expected


@pytest.mark.parametrize(
    ("day", "is_open"),
    [
        (date(2025, 12, 31), False),
        (date(2026, 1, 1), True),
        (date(2026, 1, 31), True),
        (date(2026, 2, 1), False),
    ],
)
def test_both_days_of_a_validity_are_open(day: date, is_open: bool) -> None:
    first, last = date(2026, 1, 1), date(2026, 1, 31)
    assert Channel("c", "api", valid_from=first, valid_to=last).is_open(day) is is_open
    assert Opd("o", "O", valid_from=first, valid_to=last).is_open(day) is is_open
    assert Layanan("l", "L", valid_from=first, valid_to=last).is_open(day) is is_open


@given(st.dates())
def test_without_a_validity_every_day_is_open(day: date) -> None:
    assert Channel("c", "api").is_open(day)


def test_a_channel_without_opds_serves_all_of_them() -> None:
    assert Channel("c", "api").serves("anything")
    assert Channel("c", "api", frozenset({"dinas"})).serves("dinas")
    assert not Channel("c", "api", frozenset({"dinas"})).serves("other")


def test_the_zone_of_the_instansi_decides_the_local_day() -> None:
    instant = datetime(2026, 1, 1, 18, 0, tzinfo=UTC).astimezone(REGISTRY.instansi.zone)
    assert instant.utcoffset() == timedelta(hours=7)
    assert instant.date() == date(2026, 1, 2)
