"""Columns: one number a submission, for what is worked out for all of them at once (numpy)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import count
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

IntColumn = NDArray[np.int64]
BoolColumn = NDArray[np.bool_]
ScoreMatrix = NDArray[np.uint8]  # responses x unsur, as ASCII digits; "-": not answered
Value = TypeVar("Value")


def int_column(values: Iterable[int]) -> IntColumn:
    """Return the numbers as a column."""
    return np.fromiter(values, dtype=np.int64)


def bool_column(values: Iterable[bool]) -> BoolColumn:
    """Return the truths as a column."""
    return np.fromiter(values, dtype=np.bool_)


def numbered(values: Sequence[Value]) -> tuple[list[Value], IntColumn]:
    """Return the distinct values, in the order in which they come, and the index of each value."""
    indices: defaultdict[Value, int] = defaultdict(count().__next__)
    column = int_column(map(indices.__getitem__, values))
    return list(indices), column
