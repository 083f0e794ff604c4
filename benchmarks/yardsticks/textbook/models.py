"""Its own tables: one row per response, and running totals per agency."""

from datetime import datetime

from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """The textbook's metadata."""


class _Answers:
    """Nine numbers: the scores of one response, or their sums."""

    U1: Mapped[int]
    U2: Mapped[int]
    U3: Mapped[int]
    U4: Mapped[int]
    U5: Mapped[int]
    U6: Mapped[int]
    U7: Mapped[int]
    U8: Mapped[int]
    U9: Mapped[int]


class Response(_Answers, Base):
    """One questionnaire."""

    __tablename__ = "textbook_response"

    id: Mapped[str] = mapped_column(primary_key=True)
    opd: Mapped[str]
    layanan: Mapped[str]
    submitted_at: Mapped[datetime | None]
    sex: Mapped[str | None]
    age: Mapped[int | None]
    education: Mapped[str | None]
    occupation: Mapped[str | None]
    comment: Mapped[str | None]


class Total(_Answers, Base):
    """The running totals of one agency: respondents, and the sum of scores per question."""

    __tablename__ = "textbook_total"

    opd: Mapped[str] = mapped_column(primary_key=True)
    respondents: Mapped[int]
