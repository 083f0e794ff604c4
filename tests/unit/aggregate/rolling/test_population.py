"""Users in a year."""

import pytest

from services.aggregate.rolling import population


@pytest.mark.parametrize(
    ("users", "expected"),
    [([], None), ([100, 200], 300), ([100, None], None), ([None], None), ([0], 0)],
)
def test_a_population_is_known_when_each_part_is(
    users: list[int | None], expected: int | None
) -> None:
    assert population.together(users) == expected
