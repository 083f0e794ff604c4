"""The questionnaire as versioned data: its unsur, their questions, options and weights.

Source: PermenPAN-RB 14/2017, annex (the questionnaire). U1..U9 follow the order of the
questionnaire and of the processing sheet (U8 = sarana, U9 = pengaduan); the regulation's own list
has these two the other way round, so an unsur is identified by its code or key and never by its
position in some other list.
"""

from dataclasses import dataclass
from typing import Final

from shared.domain.errors import InvalidQuestionnaire

SCORES: Final = (1, 2, 3, 4)
# All weights of a questionnaire together. A respondent's weighted total is then 40,000 at most, and
# its square 1.6 * 10**9: 64 bits hold the sum of 5.7 * 10**9 of them, more than a table ever has.
TOTAL_WEIGHT_MAX: Final = 10_000
PERMENPAN_RB_14_2017: Final = "permenpan-14-2017"


@dataclass(frozen=True, slots=True)
class Unsur:
    """One rated element: what is asked, and the texts of the scores 1, 2, 3, 4."""

    code: str
    key: str
    name: str
    question: str
    options: tuple[str, str, str, str]
    required: bool = True
    weight: int = 1

    def __post_init__(self) -> None:
        """Refuse what could not be asked or weighed."""
        if not self.code or not self.key:
            raise InvalidQuestionnaire("an unsur needs a code and a key")
        if len(self.options) != len(SCORES):
            raise InvalidQuestionnaire(f"{self.code} needs {len(SCORES)} options")
        if self.weight < 1:
            raise InvalidQuestionnaire(f"{self.code} needs a weight of 1 or more")


@dataclass(frozen=True, slots=True)
class Questionnaire:
    """One version of a questionnaire; a changed text or weight makes another one, of another code.

    `regulation` names the rules (formula and letters) under which its figures are published.
    """

    code: str
    name: str
    unsur: tuple[Unsur, ...]
    regulation: str = PERMENPAN_RB_14_2017

    def __post_init__(self) -> None:
        """Refuse what could not be counted."""
        if not self.unsur:
            raise InvalidQuestionnaire(f"{self.code} has no unsur")
        for names in ([u.code for u in self.unsur], [u.key for u in self.unsur]):
            if len(set(names)) != len(names):
                raise InvalidQuestionnaire(f"{self.code} names an unsur twice")

    @property
    def size(self) -> int:
        """The number of unsur."""
        return len(self.unsur)

    @property
    def weights(self) -> tuple[int, ...]:
        """The weights, in questionnaire order; an unsur weighs its part of their sum."""
        return tuple(u.weight for u in self.unsur)

    @property
    def total_weight(self) -> int:
        """The sum of the weights."""
        return sum(u.weight for u in self.unsur)


SKM_2017: Final = Questionnaire(
    code="skm-2017",
    name="Survei Kepuasan Masyarakat (PermenPAN-RB 14/2017)",
    unsur=(
        Unsur(
            "U1",
            "persyaratan",
            "Persyaratan",
            "Bagaimana pendapat Saudara tentang kesesuaian persyaratan pelayanan dengan jenis "
            "pelayanannya?",
            ("Tidak sesuai", "Kurang sesuai", "Sesuai", "Sangat sesuai"),
        ),
        Unsur(
            "U2",
            "prosedur",
            "Sistem, Mekanisme, dan Prosedur",
            "Bagaimana pemahaman Saudara tentang kemudahan prosedur pelayanan di unit ini?",
            ("Tidak mudah", "Kurang mudah", "Mudah", "Sangat mudah"),
        ),
        Unsur(
            "U3",
            "waktu",
            "Waktu Penyelesaian",
            "Bagaimana pendapat Saudara tentang kecepatan waktu dalam memberikan pelayanan?",
            ("Tidak cepat", "Kurang cepat", "Cepat", "Sangat cepat"),
        ),
        Unsur(
            "U4",
            "biaya",
            "Biaya/Tarif",
            "Bagaimana pendapat Saudara tentang kewajaran biaya/tarif dalam pelayanan?",
            ("Sangat mahal", "Cukup mahal", "Murah", "Gratis"),
        ),
        Unsur(
            "U5",
            "produk",
            "Produk Spesifikasi Jenis Pelayanan",
            "Bagaimana pendapat Saudara tentang kesesuaian produk pelayanan antara yang tercantum "
            "dalam standar pelayanan dengan hasil yang diberikan?",
            ("Tidak sesuai", "Kurang sesuai", "Sesuai", "Sangat sesuai"),
        ),
        Unsur(
            "U6",
            "kompetensi",
            "Kompetensi Pelaksana",
            "Bagaimana pendapat Saudara tentang kompetensi/kemampuan petugas dalam pelayanan?",
            ("Tidak kompeten", "Kurang kompeten", "Kompeten", "Sangat kompeten"),
        ),
        Unsur(
            "U7",
            "perilaku",
            "Perilaku Pelaksana",
            "Bagaimana pendapat Saudara perilaku petugas dalam pelayanan terkait kesopanan dan "
            "keramahan?",
            (
                "Tidak sopan dan ramah",
                "Kurang sopan dan ramah",
                "Sopan dan ramah",
                "Sangat sopan dan ramah",
            ),
        ),
        Unsur(
            "U8",
            "sarana",
            "Sarana dan Prasarana",
            "Bagaimana pendapat Saudara tentang kualitas sarana dan prasarana?",
            ("Buruk", "Cukup", "Baik", "Sangat Baik"),
        ),
        Unsur(
            "U9",
            "pengaduan",
            "Penanganan Pengaduan, Saran dan Masukan",
            "Bagaimana pendapat Saudara tentang penanganan pengaduan pengguna layanan?",
            (
                "Tidak ada",
                "Ada tetapi tidak berfungsi",
                "Berfungsi kurang maksimal",
                "Dikelola dengan baik",
            ),
        ),
    ),
)
