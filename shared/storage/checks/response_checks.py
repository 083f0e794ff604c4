"""Every response says what only a valid submission can say, by the registry."""

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from shared.domain.questionnaire import Questionnaire
from shared.domain.respondent import AGE_MAX, EDUCATION, OCCUPATION, SEX
from shared.domain.submission.identity import COMMENT_MAX, POINT_MAX
from shared.registry.snapshot import Registry
from shared.storage.checks.row_rules import Mismatches, RowRule, broken
from shared.storage.tables import channel, layanan, opd, response


def invalid_responses(connection: sa.Connection, registry: Registry) -> Iterator[Mismatches]:
    """Yield in which ways responses are not what the registry admits, and which."""
    questionnaires = _questionnaires(registry)
    row = response.c
    rows = (
        response.outerjoin(opd, opd.c.code == row.opd)
        .outerjoin(layanan, sa.and_(layanan.c.opd == row.opd, layanan.c.code == row.layanan))
        .outerjoin(channel, channel.c.name == row.channel)
        .outerjoin(questionnaires, questionnaires.c.code == row.questionnaire)
    )
    rules = [*_rules_of_the_registry(questionnaires), *_rules_of_a_row(registry)]
    return broken(connection, rows, [row.receipt], rules)


def _rules_of_the_registry(questionnaires: sa.FromClause) -> Iterator[RowRule]:
    row = response.c
    yield RowRule(
        "the registry has no such OPD or layanan", layanan.c.code.is_(None), [row.opd, row.layanan]
    )
    yield RowRule("the registry has no such channel", channel.c.name.is_(None), [row.channel])
    yield RowRule(
        "the registry has no such questionnaire",
        questionnaires.c.code.is_(None),
        [row.questionnaire],
    )
    yield RowRule(
        "the scores are no valid answers to the questionnaire",
        sa.not_(row.scores.regexp_match(questionnaires.c.pattern)),
        [row.questionnaire, row.scores],
    )
    yield RowRule(
        "the OPD or the layanan was closed on that day",
        sa.or_(
            row.day < opd.c.valid_from,
            row.day > opd.c.valid_to,
            row.day < layanan.c.valid_from,
            row.day > layanan.c.valid_to,
        ),
        [row.opd, row.layanan, row.day],
    )


def _rules_of_a_row(registry: Registry) -> Iterator[RowRule]:
    row = response.c
    local_time = sa.func.timezone(registry.instansi.timezone, row.answered_at)
    yield RowRule(
        "the day is not the local day of answered_at",
        row.day != sa.cast(local_time, sa.Date),
        [row.day, row.answered_at],
    )
    for column, values in (
        (row.sex, SEX),
        (row.education, EDUCATION),
        (row.occupation, OCCUPATION),
    ):
        yield RowRule(f"{column.name} is of no list", column.not_in(values), [column])
    yield RowRule("the age is out of range", sa.not_(row.age.between(0, AGE_MAX)), [row.age])
    yield RowRule(
        "the comment is too long",
        sa.func.char_length(row.comment) > COMMENT_MAX,
        [sa.func.char_length(row.comment).label("characters")],
    )
    yield RowRule(
        "the point is none",
        sa.not_(row.point.regexp_match(f"^[A-Za-z0-9._-]{{1,{POINT_MAX}}}$")),
        [row.point],
    )


def _questionnaires(registry: Registry) -> sa.FromClause:
    """Return the questionnaires as rows, each with a pattern that valid scores match."""
    codes = list(registry.questionnaires)
    patterns = [_pattern(questionnaire) for questionnaire in registry.questionnaires.values()]
    columns = (sa.column("code", sa.Text), sa.column("pattern", sa.Text))
    return (
        sa.func.unnest(sa.literal(codes, ARRAY(sa.Text)), sa.literal(patterns, ARRAY(sa.Text)))
        .table_valued(*columns, name="questionnaires")
        .render_derived()
    )


def _pattern(questionnaire: Questionnaire) -> str:
    """Return the pattern of the scores: a digit an unsur; "-" for one that may be left out."""
    return (
        "^"
        + "".join("[1-4]" if unsur.required else "[-1-4]" for unsur in questionnaire.unsur)
        + "$"
    )
