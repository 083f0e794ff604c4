"""The registry file: what it may hold, and that every violation has its path."""

from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.questionnaire import Questionnaire, Unsur
from shared.registry.file import Document, RegistryError, parse
from shared.registry.snapshot import Channel, Instansi, Layanan, Opd

EXAMPLE = Path(__file__).parents[4] / "examples" / "tanjungpinang" / "registry.yaml"
ONE = "{code: P1, key: p, name: P, question: P, options: [a, b, c, d]}"


def violations(source: str) -> dict[str, str]:
    with pytest.raises(RegistryError) as caught:
        parse(source)
    return {violation.pointer: violation.detail for violation in caught.value.violations}


def test_a_file_is_read_whole() -> None:
    source = """
instansi: {code: kota, name: Kota, timezone: Asia/Makassar, primary: mean, scheme: "0.11"}
questionnaires:
  - code: spkp
    name: Persepsi
    unsur:
      - {code: P1, key: satu, name: Satu, question: "Bagaimana?", options: [a, b, c, d]}
      - {code: P2, key: dua, name: Dua, question: "Berapa?", options: [a, b, c, d],
         required: false, weight: 2}
opd:
  - code: lama
    name: Dinas Lama
    official_code: "110"
    valid_to: 2025-12-31
    successor: baru
    layanan:
      - {code: ktp, name: KTP, users_per_year: 12000, questionnaire: spkp, valid_from: 2020-01-01}
  - {code: baru, name: Dinas Baru, ticket_required: true}
channels:
  - {name: loket, kind: api, opd: [lama, baru], valid_from: 2024-01-01, valid_to: 2024-12-31}
  - {name: semua, kind: api}
"""
    options = ("a", "b", "c", "d")
    assert parse(source) == Document(
        instansi=Instansi("kota", "Kota", "Asia/Makassar", "mean", "0.11"),
        questionnaires={
            "spkp": Questionnaire(
                "spkp",
                "Persepsi",
                (
                    Unsur("P1", "satu", "Satu", "Bagaimana?", options),
                    Unsur("P2", "dua", "Dua", "Berapa?", options, required=False, weight=2),
                ),
            )
        },
        opd={
            "lama": Opd(
                "lama",
                "Dinas Lama",
                "110",
                valid_to=date(2025, 12, 31),
                successor="baru",
                layanan={"ktp": Layanan("ktp", "KTP", 12000, "spkp", valid_from=date(2020, 1, 1))},
            ),
            "baru": Opd("baru", "Dinas Baru", ticket_required=True),
        },
        channels={
            "loket": Channel(
                "loket", "api", frozenset({"lama", "baru"}), date(2024, 1, 1), date(2024, 12, 31)
            ),
            "semua": Channel("semua", "api"),
        },
    )


def test_the_example_city_has_twelve_opds_and_the_real_stream() -> None:
    example = parse(EXAMPLE.read_text(encoding="utf-8"))
    assert len(example.opd) == 12 + 1
    assert "ktp-el" in example.opd["disdukcapil"].layanan
    assert "umum" in example.opd["contoh-kediri"].layanan
    assert (
        not example.opd["contoh-kediri"].layanan["umum"].is_open(date(2025, 1, 1))
    )  # simulations stay out of it
    assert example.channels["kediri"].opd == frozenset({"contoh-kediri"})
    assert example.channels["loket"].opd is None


def test_a_part_of_the_registry_is_a_file_too() -> None:
    assert parse("channels: [{name: kios, kind: api}]").channels == {"kios": Channel("kios", "api")}


def test_every_violation_has_its_path() -> None:
    details = violations("""
instansi: {code: Kota, timezone: Asia/Tanjungpinang, scheme: 0.11, primary: median}
opd:
  - code: dinas
    name: ""
    successor: [x]
    layanan:
      - {code: ktp el, name: KTP, users_per_year: 0, valid_from: 2026-02-30}
      - {name: KK, user_per_year: 5}
  - {code: dinas, name: Dinas, official_code: 110, valid_from: 2026-01-02, valid_to: 2026-01-01}
channels:
  - {name: loket, kind: api, opd: []}
  - {name: kios, kind: api, opd: [dinas, dinas, 7]}
  - kios
kanal: []
""")
    assert details == {
        "kanal": "is not a field here; known: instansi, questionnaires, opd, channels",
        "instansi.code": "'Kota' must match [a-z0-9][a-z0-9-]{0,63}",
        "instansi.name": "is missing",
        "instansi.timezone": (
            "'Asia/Tanjungpinang' is not a time zone of the tz database, like Asia/Jakarta"
        ),
        "instansi.scheme": 'must be text: write it in quotes, like "0.11"',
        "instansi.primary": "'median' is not one of pooled, mean",
        "opd[0].name": "must be one line of 1 to 1000 printable characters",
        "opd[0].successor": "must be text",
        "opd[0].layanan[0].code": "'ktp el' must match [a-z0-9][a-z0-9-]{0,63}",
        "opd[0].layanan[0].users_per_year": (
            "must be a whole number from 1 to 2000000000; leave it out when it is not known"
        ),
        "opd[0].layanan[0].valid_from": "'2026-02-30': day is out of range for month",
        "opd[0].layanan[1].code": "is missing",
        "opd[0].layanan[1].user_per_year": (
            "is not a field here; known: code, name, users_per_year, questionnaire, valid_from,"
            " valid_to"
        ),
        "opd[1].code": "'dinas' is also opd[0]",
        "opd[1].official_code": 'must be text: write it in quotes, like "110"',
        "channels[0].opd": "must be a list, and not an empty one",
        "channels[1].opd": "'dinas' is given twice",
        "channels[1].opd[2]": 'must be text: write it in quotes, like "7"',
        "channels[2]": "must be a mapping with: name, kind, opd, settings, valid_from, valid_to",
    }


def test_an_end_before_the_beginning_is_a_violation() -> None:
    details = violations("opd: [{code: a, name: A, valid_from: 2026-01-02, valid_to: 2026-01-01}]")
    assert "valid_to 2026-01-01 is before valid_from 2026-01-02" in details["opd[0]"]


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("opd: [{code: a, name: A, name: B}]", "opd[0].name"),
        ("opd: []\nopd: []", "opd"),
        (
            "opd: [{code: a, name: A, layanan: [{code: b, name: B}, {code: b, name: C}]}]",
            "opd[0].layanan[1].code",
        ),
        ("channels: [{name: a, kind: api}, {name: a, kind: api}]", "channels[1].name"),
        ("channels: [{name: a, kind: api, opd: }]", "channels[0].opd"),
        ("opd: {code: a}", "opd"),
        ("opd:", "opd"),
        ("opd: [{code: a, name: A, valid_to: 2026-01-01T00:00:00}]", "opd[0].valid_to"),
        ("opd: [{code: a, name: A, valid_to: 20260101}]", "opd[0].valid_to"),
        ('opd: [{code: a, name: "A\\0"}]', "opd[0].name"),
        ('opd: [{code: a, name: "\\ud800"}]', "opd[0].name"),
        ("opd: [{code: no, name: A}]", "opd[0].code"),
        (f"opd: [{{code: {'a' * 65}, name: A}}]", "opd[0].code"),
        ("[]", "file"),
        ("", "file"),
        ("opd: [", "file"),
        ("a: 1\n---\nb: 2", "file"),
        ("opd: !!python/object:os.system x", "file"),
        ("? [a]\n: b", "file"),
        ("opd: &a [*a]", "opd[0]"),
    ],
)
def test_a_file_that_means_two_things_or_nothing_is_refused(source: str, path: str) -> None:
    assert path in violations(source)


@pytest.mark.parametrize(
    ("unsur", "path"),
    [
        ("[]", "questionnaires[0]"),
        (
            "[{code: P1, key: p, name: P, question: P, options: [a, b, c]}]",
            "questionnaires[0].unsur[0].options",
        ),
        (
            "[{code: P1, key: p, name: P, question: P, options: [a, b, c, 4]}]",
            "questionnaires[0].unsur[0].options[3]",
        ),
        (
            "[{code: P1, key: p, name: P, question: P, options: [a, b, c, d], weight: 0.5}]",
            "questionnaires[0].unsur[0].weight",
        ),
        (
            "[{code: P1, key: p, name: P, question: P, options: [a, b, c, d], required: 1}]",
            "questionnaires[0].unsur[0].required",
        ),
        (
            "[{code: P1, key: p, name: P, question: P, options: [a, b, c, d], weight: 10001}]",
            "questionnaires[0]",
        ),
        (f"[{ONE}, {ONE.replace('key: p', 'key: q')}]", "questionnaires[0].unsur[1].code"),
        (f"[{ONE}, {ONE.replace('code: P1', 'code: P2')}]", "questionnaires[0]"),
    ],
)
def test_a_questionnaire_that_could_not_be_counted_is_refused(unsur: str, path: str) -> None:
    assert path in violations(f"questionnaires: [{{code: q, name: Q, unsur: {unsur}}}]")


def test_weights_add_up_to_ten_thousand_at_most() -> None:
    unsur = "[{code: P1, key: p, name: P, question: P, options: [a, b, c, d], weight: 10000}]"
    document = parse(f"questionnaires: [{{code: q, name: Q, unsur: {unsur}}}]")
    assert document.questionnaires["q"].total_weight == 10_000


def test_the_message_lists_all_violations() -> None:
    with pytest.raises(RegistryError) as caught:
        parse("opd: [{code: a}, {code: b}]")
    assert str(caught.value).splitlines()[1:] == [
        "  opd[0].name: is missing",
        "  opd[1].name: is missing",
    ]


@given(st.text())
def test_no_text_is_more_than_a_violation(source: str) -> None:
    with suppress(RegistryError):
        parse(source)


@pytest.mark.parametrize(
    ("settings", "pointer"),
    [
        ("[1]", "channels[0].settings"),
        ("{a: {b: {c: {d: {e: {f: 1}}}}}}", "channels[0].settings.a.b.c.d.e.f"),
        (f"{{a: [{'1, ' * 1000}1]}}", "channels[0].settings"),
    ],
)
def test_settings_of_a_channel_are_what_json_holds(settings: str, pointer: str) -> None:
    with pytest.raises(RegistryError) as refused:
        parse(f"channels: [{{name: a, kind: b, settings: {settings}}}]")
    assert [violation.pointer for violation in refused.value.violations] == [pointer]
