"""The errors of the domain; the first line of an exception's docstring is its message.

IkmError
├── UnknownWindow          a window that no rule names
├── UnknownStep            a trend step other than day, week, month
├── ReversedPeriod         a period that ends before it begins
├── NaiveInstant           a time without an offset: it has no local day
├── InvalidQuestionnaire   a questionnaire that could not be counted
├── TallyMismatch          tallies or questionnaires of different sizes
└── InvalidPopulation      a negative number of users
"""


class IkmError(Exception):
    """The request makes no sense to the domain."""

    def __str__(self) -> str:
        """Return the message, and the subject where one was given."""
        doc = type(self).__doc__ or type(self).__name__  # `python -OO` strips docstrings
        message = doc.partition("\n")[0].rstrip(".")
        subject = super().__str__()
        return f"{message}: {subject}" if subject else message


class UnknownWindow(IkmError):
    """Unknown window."""


class UnknownStep(IkmError):
    """Unknown step: use day, week or month."""


class ReversedPeriod(IkmError):
    """The period ends before it begins."""


class NaiveInstant(IkmError):
    """A time without an offset has no local day."""


class InvalidQuestionnaire(IkmError):
    """The questionnaire cannot be counted."""


class TallyMismatch(IkmError):
    """Tallies of questionnaires of different sizes do not combine."""


class InvalidPopulation(IkmError):
    """A population is a number of users, zero or more."""
