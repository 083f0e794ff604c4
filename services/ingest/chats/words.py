"""What the dialogue says, in Indonesian and English, and the words that it understands."""

from collections.abc import Mapping
from typing import Final

INDONESIAN: Final = "id"
ENGLISH: Final = "en"

CANCEL: Final = frozenset({"batal", "cancel", "stop", "berhenti"})
BACK: Final = frozenset({"ulang", "kembali", "back"})
SKIP: Final = frozenset({"lewati", "skip", "-"})
START: Final = frozenset({"skm", "mulai", "start", "survei", "menu"})
HELP: Final = frozenset({"bantuan", "help", "?"})
LANGUAGES: Final[Mapping[str, str]] = {
    "en": ENGLISH,
    "english": ENGLISH,
    "inggris": ENGLISH,
    "id": INDONESIAN,
    "indonesia": INDONESIAN,
    "indonesian": INDONESIAN,
}

_TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "idle": (
        "Survei Kepuasan Masyarakat. Ketik SKM untuk mengisi. For English, type EN.",
        "Public satisfaction survey. Type SKM to answer. Untuk bahasa Indonesia, ketik ID.",
    ),
    "begin": (
        "{layanan}, {opd}. Nomor Anda tidak disimpan. ULANG: pertanyaan lalu. BATAL: berhenti.",
        "{layanan}, {opd}. Your number is not kept. BACK: question before. CANCEL: stop.",
    ),
    "layanan": ("Layanan mana yang Anda nilai?", "Which service do you rate?"),
    "no-layanan": (
        "Tidak ada layanan dengan kode itu di sini.",
        "There is no service of this code here.",
    ),
    "closed": (
        "Layanan ini tidak dapat dinilai sekarang. Ketik SKM untuk memilih yang lain.",
        "This service cannot be rated now. Type SKM to choose another.",
    ),
    "more": ("Lainnya", "More"),
    "ticket": ("Ketik 16 tanda pada tiket Anda.", "Type the 16 signs of your ticket."),
    "ticket-wrong": (
        "Tiket itu tidak berlaku untuk layanan ini.",
        "That ticket is not valid for this service.",
    ),
    "profile": (
        "Boleh kami tanyakan jenis kelamin, umur, pendidikan, dan pekerjaan Anda?",
        "May we ask your sex, age, education and occupation?",
    ),
    "yes": ("Boleh", "Yes"),
    "sex": ("Jenis kelamin Anda?", "Your sex?"),
    "age": (
        "Berapa umur Anda? Ketik angka, misalnya 34, atau LEWATI.",
        "How old are you? Type a number, for example 34, or SKIP.",
    ),
    "education": ("Pendidikan terakhir Anda? (atau LEWATI)", "Your education? (or SKIP)"),
    "occupation": ("Pekerjaan Anda?", "Your occupation?"),
    "comment": (
        "Tulis saran Anda, tanpa nama atau nomor, atau LEWATI.",
        "Write your suggestion, without names or numbers, or SKIP.",
    ),
    "comment-long": ("Saran terlalu panjang: paling banyak {limit} huruf.",
                     "This is too long: {limit} characters at most."),
    "skip": ("Lewati", "Skip"),
    "again": ("Maaf, jawaban itu tidak dikenali.", "Sorry, that was not understood."),
    "resume": ("Kita lanjutkan isian Anda.", "Let us go on with your answers."),
    "changed": ("Jawaban diganti.", "The answer was changed."),
    "outdated": (
        "Pilihan itu dari isian yang sudah selesai.",
        "That choice is of answers which are done.",
    ),
    "cancelled": (
        "Isian dibatalkan; tidak ada yang disimpan. Ketik SKM untuk mulai lagi.",
        "Cancelled; nothing was kept. Type SKM to begin again.",
    ),
    "done": (
        "Terima kasih, isian Anda sudah masuk. Ketik SKM untuk layanan lain.",
        "Thank you, your answers have arrived. Type SKM for another service.",
    ),
    "digits": (
        "Kirim {size} angka 1-4, misalnya SKM {layanan} {example}",
        "Send {size} digits 1-4, for example SKM {layanan} {example}",
    ),
    "refused": (
        "Isian tidak dapat diterima. Ketik SKM untuk mulai lagi.",
        "This could not be taken. Type SKM to begin again.",
    ),
    "receipt": ("Terima kasih! Tanda terima: {receipt}", "Thank you! Receipt: {receipt}"),
}  # fmt: skip
_ENGLISH_LABELS: Final[Mapping[str, str]] = {
    "L": "Male",
    "P": "Female",
    "SWASTA": "Private sector",
    "WIRAUSAHA": "Self-employed",
    "PELAJAR": "Student",
    "LAINNYA": "Other",
}


def say(name: str, language: str, **values: object) -> str:
    """Return a text in a language, with its values filled in."""
    indonesian, english = _TEXTS[name]
    return (english if language == ENGLISH else indonesian).format(**values)


def label(code: str, indonesian: str, language: str) -> str:
    """Return the label of a code of the profile in a language."""
    return _ENGLISH_LABELS.get(code, indonesian) if language == ENGLISH else indonesian
