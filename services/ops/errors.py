"""The errors of the embedded stack; the first line of an exception's docstring is its message.

IkmError
└── CannotStart            something that the stack needs does not start
    └── AlreadyRuns        another stack, or a server of an earlier one, still works on the same folder
"""

from shared.domain.errors import IkmError


class CannotStart(IkmError):
    """Cannot start."""


class AlreadyRuns(CannotStart):
    """Already running."""
