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
    """One rated element: what is asked, and the texts of the scores 1, 2, 3, 4.

    The texts in English may be missing: then the Indonesian ones are shown.
    """

    code: str
    key: str
    name: str
    question: str
    options: tuple[str, str, str, str]
    required: bool = True
    weight: int = 1
    name_en: str | None = None
    question_en: str | None = None
    options_en: tuple[str, str, str, str] | None = None

    def __post_init__(self) -> None:
        """Refuse what could not be asked or weighed."""
        if not self.code or not self.key:
            raise InvalidQuestionnaire("an unsur needs a code and a key")
        if len(self.options) != len(SCORES):
            raise InvalidQuestionnaire(f"{self.code} needs {len(SCORES)} options")
        if self.options_en is not None and len(self.options_en) != len(SCORES):
            raise InvalidQuestionnaire(f"{self.code} needs {len(SCORES)} options in English")
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
            name_en="Requirements",
            question_en="How well do the requirements fit the type of service?",
            options_en=("Not suitable", "Less suitable", "Suitable", "Very suitable"),
        ),
        Unsur(
            "U2",
            "prosedur",
            "Sistem, Mekanisme, dan Prosedur",
            "Bagaimana pemahaman Saudara tentang kemudahan prosedur pelayanan di unit ini?",
            ("Tidak mudah", "Kurang mudah", "Mudah", "Sangat mudah"),
            name_en="System, Mechanism and Procedure",
            question_en="How easy is the procedure of this service to follow?",
            options_en=("Not easy", "Less easy", "Easy", "Very easy"),
        ),
        Unsur(
            "U3",
            "waktu",
            "Waktu Penyelesaian",
            "Bagaimana pendapat Saudara tentang kecepatan waktu dalam memberikan pelayanan?",
            ("Tidak cepat", "Kurang cepat", "Cepat", "Sangat cepat"),
            name_en="Time of Completion",
            question_en="How fast was the service given?",
            options_en=("Not fast", "Less fast", "Fast", "Very fast"),
        ),
        Unsur(
            "U4",
            "biaya",
            "Biaya/Tarif",
            "Bagaimana pendapat Saudara tentang kewajaran biaya/tarif dalam pelayanan?",
            ("Sangat mahal", "Cukup mahal", "Murah", "Gratis"),
            name_en="Costs/Fees",
            question_en="How reasonable are the costs or fees of the service?",
            options_en=("Very expensive", "Quite expensive", "Cheap", "Free"),
        ),
        Unsur(
            "U5",
            "produk",
            "Produk Spesifikasi Jenis Pelayanan",
            "Bagaimana pendapat Saudara tentang kesesuaian produk pelayanan antara yang tercantum "
            "dalam standar pelayanan dengan hasil yang diberikan?",
            ("Tidak sesuai", "Kurang sesuai", "Sesuai", "Sangat sesuai"),
            name_en="Product of the Service",
            question_en="How well does the result match what the service standard states?",
            options_en=("Does not match", "Matches less", "Matches", "Matches very well"),
        ),
        Unsur(
            "U6",
            "kompetensi",
            "Kompetensi Pelaksana",
            "Bagaimana pendapat Saudara tentang kompetensi/kemampuan petugas dalam pelayanan?",
            ("Tidak kompeten", "Kurang kompeten", "Kompeten", "Sangat kompeten"),
            name_en="Competence of Staff",
            question_en="How competent are the staff who gave the service?",
            options_en=("Not competent", "Less competent", "Competent", "Very competent"),
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
            name_en="Behaviour of Staff",
            question_en="How polite and friendly are the staff who gave the service?",
            options_en=(
                "Not polite and friendly",
                "Less polite and friendly",
                "Polite and friendly",
                "Very polite and friendly",
            ),
        ),
        Unsur(
            "U8",
            "sarana",
            "Sarana dan Prasarana",
            "Bagaimana pendapat Saudara tentang kualitas sarana dan prasarana?",
            ("Buruk", "Cukup", "Baik", "Sangat Baik"),
            name_en="Facilities and Infrastructure",
            question_en="How good are the facilities and infrastructure?",
            options_en=("Poor", "Fair", "Good", "Very good"),
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
            name_en="Handling of Complaints, Suggestions and Input",
            question_en="How are complaints of users of the service handled?",
            options_en=(
                "There is no handling",
                "There is, but it does not work",
                "Works less than fully",
                "Well managed",
            ),
        ),
    ),
)
