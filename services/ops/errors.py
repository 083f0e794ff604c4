"""The errors of the embedded stack; the first line of an exception's docstring is its message.

IkmError
└── CannotStart      something that the stack needs does not start
    └── InUse        the port, or the folder, is another process's: nothing was started
"""

from shared.domain.errors import IkmError


class CannotStart(IkmError):
    """Cannot start."""


class InUse(CannotStart):
    """Already in use."""
