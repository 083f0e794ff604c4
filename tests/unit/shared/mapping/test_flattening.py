"""Nested JSON becomes one flat record, within limits."""

from typing import Any

import pytest

from shared.mapping.flattening import DEPTH_MAX, FIELDS_MAX, flattened
from shared.mapping.values import Unfit


def test_names_are_joined_as_groups_are() -> None:
    document = {"a": {"b": [1, {"c": None}]}, "d/e": "x", "f": {}}
    assert flattened(document) == {"a/b/0": 1, "a/b/1/c": None, "d/e": "x"}


def test_what_is_no_questionnaire_is_refused() -> None:
    deep: Any = 1
    for _ in range(DEPTH_MAX + 1):
        deep = [deep]
    for document in ({"a": deep}, {str(number): 1 for number in range(FIELDS_MAX + 1)}):
        with pytest.raises(Unfit):
            flattened(document)
