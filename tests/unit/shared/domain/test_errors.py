import pickle

import pytest

from shared.domain import errors
from shared.domain.errors import IkmError, ReversedPeriod, UnknownWindow


def test_the_message_of_an_error_is_its_docstring_and_its_subject() -> None:
    assert str(UnknownWindow("8d")) == "Unknown window: 8d"


def test_an_error_without_a_subject_still_says_what_is_wrong() -> None:
    assert str(ReversedPeriod()) == "The period ends before it begins"


def test_an_error_crosses_a_process_boundary_unchanged() -> None:
    assert str(pickle.loads(pickle.dumps(UnknownWindow("8d")))) == "Unknown window: 8d"


def test_every_error_of_the_domain_is_an_ikm_error_and_stands_in_the_tree() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    assert len(kinds) > 1
    for kind in kinds:
        assert issubclass(kind, IkmError)
        assert errors.__doc__ is not None
        assert kind.__name__ in errors.__doc__


def test_an_error_stripped_of_its_docstring_is_still_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(UnknownWindow, "__doc__", None)
    assert str(UnknownWindow("8d")) == "UnknownWindow: 8d"
