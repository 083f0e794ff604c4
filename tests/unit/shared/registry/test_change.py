"""What applying a file changes, and what may not be changed."""

from dataclasses import replace
from datetime import date

import pytest

from services.ops.registry.difference import describe
from shared.domain.questionnaire import SKM_2017, Questionnaire, Unsur
from shared.registry.change import Change, EntryKind, Usage, applied, difference
from shared.registry.file import Document
from shared.registry.rules import objections
from shared.registry.snapshot import Channel, Instansi, Layanan, Opd, Registry

TODAY = date(2026, 5, 4)
YESTERDAY = date(2026, 5, 3)
KOTA = Instansi("kota", "Kota", "Asia/Jakarta")
KTP = Layanan("ktp", "KTP", users_per_year=100)
DINAS = Opd("dinas", "Dinas", layanan={"ktp": KTP, "kk": Layanan("kk", "KK")})
BADAN = Opd("badan", "Badan", layanan={"pajak": Layanan("pajak", "Pajak")})
SPKP = Questionnaire("spkp", "Persepsi", (Unsur("P1", "p", "P", "P?", ("a", "b", "c", "d")),))
CURRENT = Registry(
    version=1,
    instansi=KOTA,
    opd={"dinas": DINAS, "badan": BADAN},
    channels={
        "loket": Channel("loket", "api"),
        "kios": Channel("kios", "api", frozenset({"dinas"})),
    },
    questionnaires={"skm-2017": SKM_2017, "spkp": SPKP},
)
SAME = Document(KOTA, {"spkp": SPKP}, CURRENT.opd, CURRENT.channels)
UNUSED = Usage()


def changes(desired: Document, usage: Usage = UNUSED, *, prune: bool = False) -> list[Change]:
    return difference(CURRENT, desired, usage, TODAY, prune=prune)


def lines(desired: Document, usage: Usage = UNUSED, *, prune: bool = False) -> list[str]:
    return [describe(change) for change in changes(desired, usage, prune=prune)]


def refusals(desired: Document, usage: Usage = UNUSED) -> list[str]:
    return [violation.pointer for violation in objections(CURRENT, changes(desired, usage), usage)]


def with_opd(*opd: Opd) -> Document:
    return Document(opd={entry.code: entry for entry in opd})


def test_the_same_again_changes_nothing() -> None:
    assert changes(SAME) == []
    assert changes(SAME, prune=True) == []


def test_a_new_opd_is_added_with_its_layanan() -> None:
    assert lines(with_opd(Opd("baru", "Dinas Baru", "123", layanan={"ktp": KTP}))) == [
        "+ opd baru  name: Dinas Baru, official_code: 123",
        "+ layanan baru/ktp  name: KTP, users_per_year: 100",
    ]


def test_that_tickets_are_required_is_shown_in_words() -> None:
    demanding = replace(DINAS, ticket_required=True)
    assert lines(with_opd(demanding)) == ["~ opd dinas  ticket_required: no → yes"]
    new = Opd("baru", "Baru", ticket_required=True)
    assert lines(with_opd(new)) == ["+ opd baru  name: Baru, ticket_required: yes"]


def test_each_field_that_differs_is_shown() -> None:
    changed = replace(DINAS, name="Dinas X", layanan={"ktp": replace(KTP, users_per_year=200)})
    assert lines(with_opd(changed)) == [
        "~ opd dinas  name: Dinas → Dinas X",
        "~ layanan dinas/ktp  users_per_year: 100 → 200",
    ]


def test_a_scope_is_shown_in_words() -> None:
    kios = {
        "kios": Channel("kios", "api"),
        "loket": Channel("loket", "api", frozenset({"dinas", "badan"})),
    }
    assert lines(Document(channels=kios)) == [
        "~ channel kios  opd: [dinas] → all",
        "~ channel loket  opd: all → [badan, dinas]",
    ]


def test_a_new_channel_and_questionnaire_are_shown_with_what_they_hold() -> None:
    new = Document(
        questionnaires={"q": replace(SPKP, code="q")}, channels={"baru": Channel("baru", "form")}
    )
    assert lines(new) == [
        "+ questionnaire q  name: Persepsi, unsur: [P1], regulation: permenpan-14-2017",
        "+ channel baru  kind: form, opd: all",
    ]


def test_a_changed_question_is_shown_as_such() -> None:
    other = replace(SPKP, unsur=(replace(SPKP.unsur[0], question="?"),))
    assert lines(Document(questionnaires={"spkp": other})) == [
        "~ questionnaire spkp  unsur: [P1] (text, options or weights differ)"
    ]


def test_an_earlier_end_closes_and_a_later_one_reopens() -> None:
    ended = replace(DINAS, valid_to=date(2026, 12, 31), layanan={})
    assert [change.kind for change in changes(with_opd(ended))] == [EntryKind.CLOSE]
    closed = replace(CURRENT, opd={**CURRENT.opd, "dinas": ended})
    again = difference(closed, with_opd(replace(DINAS, layanan={})), UNUSED, TODAY, prune=False)
    assert [describe(change) for change in again] == ["~ opd dinas  valid_to: 2026-12-31 → -"]
    assert again[0].kind is EntryKind.REOPEN


def test_without_prune_what_is_not_named_stays() -> None:
    assert changes(Document()) == []
    assert changes(with_opd(replace(DINAS, layanan={}))) == []


def test_prune_closes_what_is_not_named_as_of_yesterday() -> None:
    desired = Document(
        opd={"dinas": replace(DINAS, layanan={"ktp": KTP})},
        channels={"loket": Channel("loket", "api")},
    )
    assert lines(desired, prune=True) == [
        "- layanan dinas/kk  valid_to: - → 2026-05-03",
        "- opd badan  valid_to: - → 2026-05-03",
        "- channel kios  valid_to: - → 2026-05-03",
    ]


def test_prune_never_leaves_a_response_outside_the_validity() -> None:
    usage = Usage(
        days={
            ("badan", "pajak"): (date(2026, 1, 1), TODAY),
            ("dinas", "kk"): (TODAY, date(2026, 5, 5)),
        }
    )
    desired = with_opd(replace(DINAS, layanan={"ktp": KTP}))
    pruned = {
        change.subject: getattr(change.after, "valid_to", None)
        for change in changes(desired, usage, prune=True)
    }
    assert pruned["opd badan"] == TODAY
    assert pruned["layanan dinas/kk"] == date(2026, 5, 5)
    assert objections(CURRENT, changes(desired, usage, prune=True), usage) == []


def test_prune_again_changes_nothing_on_any_later_day() -> None:
    desired = with_opd(replace(DINAS, layanan={"ktp": KTP}))
    pruned = applied(CURRENT, changes(desired, prune=True))
    assert difference(pruned, desired, UNUSED, date(2026, 8, 1), prune=True) == []


def test_prune_brings_a_later_end_forward() -> None:
    later = replace(CURRENT, channels={"loket": Channel("loket", "api", valid_to=date(2030, 1, 1))})
    closing = difference(later, replace(SAME, channels={}), UNUSED, TODAY, prune=True)
    assert [describe(change) for change in closing] == [
        "- channel loket  valid_to: 2030-01-01 → 2026-05-03"
    ]


def test_applied_changes_make_the_desired_registry() -> None:
    desired = Document(
        replace(KOTA, name="Kota Baru"),
        {"spkp-2": replace(SPKP, code="spkp-2")},
        {
            "baru": Opd("baru", "Baru", layanan={"ktp": KTP}),
            "dinas": replace(DINAS, name="Dinas X"),
        },
        {"kios": Channel("kios", "api")},
    )
    after = applied(CURRENT, changes(desired))
    assert difference(after, desired, UNUSED, TODAY, prune=False) == []
    assert after.opd["badan"] == BADAN
    assert after.channels["loket"] == CURRENT.channels["loket"]


USED = Usage(
    received=True,
    days={
        ("dinas", "ktp"): (date(2026, 2, 1), date(2026, 4, 1)),
        ("dinas", "kk"): (date(2026, 3, 1), TODAY),
    },
    questionnaires=frozenset({"skm-2017", "spkp"}),
)


@pytest.mark.parametrize(
    ("desired", "paths"),
    [
        (Document(replace(KOTA, code="kota-baru")), ["instansi kota-baru.code"]),
        (Document(replace(KOTA, timezone="Asia/Makassar")), ["instansi kota.timezone"]),
        (Document(questionnaires={"spkp": replace(SPKP, name="X")}), ["questionnaire spkp"]),
        (with_opd(replace(DINAS, valid_to=YESTERDAY)), ["opd dinas.valid_to"]),
        (with_opd(replace(DINAS, valid_from=date(2026, 2, 2))), ["opd dinas.valid_from"]),
        (
            with_opd(replace(DINAS, layanan={"ktp": replace(KTP, valid_to=date(2026, 3, 31))})),
            ["layanan dinas/ktp.valid_to"],
        ),
    ],
)
def test_what_would_orphan_data_is_refused(desired: Document, paths: list[str]) -> None:
    assert refusals(desired, USED) == paths
    assert refusals(desired, UNUSED) == []


@pytest.mark.parametrize(
    "desired",
    [
        Document(replace(KOTA, name="Nama Baru", primary="mean", scheme="0.11")),
        with_opd(replace(DINAS, valid_from=date(2026, 2, 1), valid_to=TODAY)),
        with_opd(
            replace(DINAS, layanan={"ktp": replace(KTP, questionnaire="spkp", users_per_year=1)})
        ),
        Document(questionnaires={"spkp-2": replace(SPKP, code="spkp-2")}),
    ],
)
def test_what_orphans_nothing_is_allowed_with_data(desired: Document) -> None:
    assert changes(desired, USED)
    assert refusals(desired, USED) == []


@pytest.mark.parametrize(
    ("desired", "paths"),
    [
        (with_opd(replace(DINAS, successor="nobody")), ["opd dinas.successor"]),
        (with_opd(replace(DINAS, successor="dinas")), ["opd dinas.successor"]),
        (
            with_opd(replace(DINAS, successor="badan"), replace(BADAN, successor="dinas")),
            ["opd dinas.successor", "opd badan.successor"],
        ),
        (
            with_opd(Opd("baru", "Baru", layanan={"x": Layanan("x", "X", questionnaire="y")})),
            ["layanan baru/x.questionnaire"],
        ),
        (
            Document(channels={"loket": Channel("loket", "api", frozenset({"dinas", "x"}))}),
            ["channel loket.opd"],
        ),
        (
            Document(questionnaires={"skm-2017": replace(SKM_2017, name="Mine")}),
            ["questionnaire skm-2017"],
        ),
    ],
)
def test_what_names_something_that_does_not_exist_is_refused(
    desired: Document, paths: list[str]
) -> None:
    assert refusals(desired) == paths


def test_a_successor_may_come_with_the_same_file() -> None:
    assert refusals(with_opd(replace(DINAS, successor="baru"), Opd("baru", "Baru"))) == []


def test_the_first_file_must_name_the_instansi() -> None:
    desired = with_opd(DINAS)
    empty = Registry.empty()
    first = difference(empty, desired, UNUSED, TODAY, prune=False)
    assert [violation.pointer for violation in objections(empty, first, UNUSED)] == ["instansi"]


def test_the_tickets_of_an_opd_belong_to_one_channel() -> None:
    def tickets(first: frozenset[str] | None, second: frozenset[str] | None) -> Document:
        channels = {"t1": Channel("t1", "tiket", first), "t2": Channel("t2", "tiket", second)}
        return Document(channels=channels)

    assert refusals(tickets(None, frozenset({"badan"}))) == ["channel t2.kind"]
    assert refusals(tickets(frozenset({"dinas", "badan"}), frozenset({"badan"}))) == [
        "channel t2.kind"
    ]
    assert refusals(tickets(frozenset({"dinas"}), frozenset({"badan"}))) == []


def test_a_channel_neither_becomes_verified_nor_stops_being_it() -> None:
    becoming = Document(channels={"loket": Channel("loket", "tiket")})
    assert refusals(becoming) == ["channel loket.kind"]
    current = applied(CURRENT, changes(Document(channels={"t": Channel("t", "tiket")})))
    leaving = difference(
        current, Document(channels={"t": Channel("t", "api")}), UNUSED, TODAY, prune=False
    )
    assert [each.pointer for each in objections(current, leaving, UNUSED)] == ["channel t.kind"]
