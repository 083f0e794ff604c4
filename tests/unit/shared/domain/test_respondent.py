import pytest

from shared.domain import respondent
from shared.domain.respondent import AGE_GROUPS, AGE_MAX, LABELS, age_group


@pytest.mark.parametrize(
    ("age", "group"),
    [
        (0, "0-19"),
        (9, "0-19"),
        (19, "0-19"),
        (20, "20-29"),
        (39, "30-39"),
        (40, "40-49"),
        (59, "50-59"),
        (60, "60+"),
    ],
)
def test_an_age_lies_in_its_group(age: int, group: str) -> None:
    assert age_group(age) == group


def test_every_age_has_a_group_and_the_groups_come_in_order() -> None:
    groups = [AGE_GROUPS.index(age_group(age)) for age in range(AGE_MAX + 1)]
    assert groups == sorted(groups)
    assert set(groups) == set(range(len(AGE_GROUPS)))


def test_the_code_lists_are_those_of_the_form() -> None:
    assert respondent.SEX == ("L", "P")
    assert respondent.EDUCATION == ("SD", "SMP", "SMA", "D1", "D2", "D3", "D4", "S1", "S2", "S3")
    assert respondent.OCCUPATION == (
        "PNS",
        "TNI",
        "POLRI",
        "SWASTA",
        "WIRAUSAHA",
        "PELAJAR",
        "LAINNYA",
    )


def test_every_facet_of_the_profile_has_labels() -> None:
    assert set(LABELS) == {"sex", "age", "education", "occupation"}
    assert all(label for labels in LABELS.values() for label in labels.values())
