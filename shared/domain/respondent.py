"""The respondent's profile: the code lists of PermenPAN-RB 14/2017's form, their labels, and the facets counted.

Numbers of citizens (NIK), names and telephone numbers have no place here.
"""

from collections.abc import Mapping
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

# The facets under which a response is counted; "all" has the single value "".
FACETS: Final = ("all", "sex", "age", "education", "occupation", "channel")
FACET_LABELS: Final[Mapping[str, str]] = {
    "sex": "Jenis kelamin",
    "age": "Umur",
    "education": "Pendidikan terakhir",
    "occupation": "Pekerjaan",
    "channel": "Kanal",
}
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
