"""The respondent's profile: the code lists of PermenPAN-RB 14/2017's form and their labels.

Numbers of citizens (NIK), names and telephone numbers have no place here.
"""

from collections.abc import Iterable, Mapping
from typing import Final

SEX_LABELS: Final[Mapping[str, str]] = {"L": "Laki-laki", "P": "Perempuan"}
EDUCATION_LABELS: Final[Mapping[str, str]] = {
    "SD": "SD",
    "SMP": "SMP",
    "SMA": "SMA",
    "D1": "D1",
    "D2": "D2",
    "D3": "D3",
    "D4": "D4",
    "S1": "S1",
    "S2": "S2",
    "S3": "S3",
}
OCCUPATION_LABELS: Final[Mapping[str, str]] = {
    "PNS": "PNS",
    "TNI": "TNI",
    "POLRI": "POLRI",
    "SWASTA": "Swasta",
    "WIRAUSAHA": "Wirausaha",
    "PELAJAR": "Pelajar/Mahasiswa",
    "LAINNYA": "Lainnya",
}
# By the member of a respondent that they are labels of; and all of them in English.
PROFILE_LABELS: Final = {
    "sex": SEX_LABELS,
    "education": EDUCATION_LABELS,
    "occupation": OCCUPATION_LABELS,
}
ENGLISH_LABELS: Final = {
    "L": "Male",
    "P": "Female",
    "SD": "Primary school",
    "SMP": "Junior high school",
    "SMA": "Senior high school",
    "D1": "Diploma 1",
    "D2": "Diploma 2",
    "D3": "Diploma 3",
    "D4": "Diploma 4",
    "S1": "Bachelor",
    "S2": "Master",
    "S3": "Doctorate",
    "PNS": "Civil servant",
    "TNI": "Armed forces",
    "POLRI": "Police",
    "SWASTA": "Private employee",
    "WIRAUSAHA": "Entrepreneur",
    "PELAJAR": "Student",
    "LAINNYA": "Other",
}
AGE_LABELS: Final[Mapping[str, str]] = {
    "0-19": "Di bawah 20 tahun",
    "20-29": "20-29 tahun",
    "30-39": "30-39 tahun",
    "40-49": "40-49 tahun",
    "50-59": "50-59 tahun",
    "60+": "60 tahun ke atas",
}

SEX: Final = tuple(SEX_LABELS)
EDUCATION: Final = tuple(EDUCATION_LABELS)
OCCUPATION: Final = tuple(OCCUPATION_LABELS)
AGE_GROUPS: Final = tuple(AGE_LABELS)
AGE_MAX: Final = 120

# facet -> code -> label, in the order of display; channels are named by the registry.
LABELS: Final[Mapping[str, Mapping[str, str]]] = {
    "sex": SEX_LABELS,
    "age": AGE_LABELS,
    "education": EDUCATION_LABELS,
    "occupation": OCCUPATION_LABELS,
}

_GROUP_OF_DECADE: Final = ("0-19", "0-19", "20-29", "30-39", "40-49", "50-59", "60+")


def age_group(age: int) -> str:
    """Return the age group of an age in completed years (0..AGE_MAX)."""
    return _GROUP_OF_DECADE[min(age // 10, 6)]


def _codes(values: Iterable[str]) -> dict[str | None, int]:
    return {None: 0} | {value: code for code, value in enumerate(values, start=1)}


# A profile as one integer: the positions in these lists, each plus one (0: not said), in mixed
# radix.
_SEX_CODES: Final = _codes(SEX)
_EDUCATION_CODES: Final = _codes(EDUCATION)
_OCCUPATION_CODES: Final = _codes(OCCUPATION)
PROFILE_RADIX: Final = (len(SEX) + 1, AGE_MAX + 2, len(EDUCATION) + 1, len(OCCUPATION) + 1)


def profile_code(
    sex: str | None, age: int | None, education: str | None, occupation: str | None
) -> int:
    """Return a profile as one integer (0: nothing was said); KeyError for a code of no list."""
    code = _SEX_CODES[sex] * PROFILE_RADIX[1] + (0 if age is None else age + 1)
    code = code * PROFILE_RADIX[2] + _EDUCATION_CODES[education]
    return code * PROFILE_RADIX[3] + _OCCUPATION_CODES[occupation]


def profile_of(code: int) -> tuple[str | None, int | None, str | None, str | None]:
    """Return sex, age, education and occupation from what `profile_code` made of them."""
    code, occupation = divmod(code, PROFILE_RADIX[3])
    code, education = divmod(code, PROFILE_RADIX[2])
    sex, age = divmod(code, PROFILE_RADIX[1])
    return (
        (None, *SEX)[sex],
        age - 1 if age else None,
        (None, *EDUCATION)[education],
        (None, *OCCUPATION)[occupation],
    )
