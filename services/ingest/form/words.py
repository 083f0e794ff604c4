"""What the page itself says, in Indonesian and English."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final, Literal

Language = Literal["id", "en"]
LANGUAGES: Final[tuple[Language, ...]] = ("id", "en")

_TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "survey": ("Survei Kepuasan Masyarakat", "Public satisfaction survey"),
    "skip": ("Langsung ke isi", "Skip to content"),
    "other_language": ("English", "Bahasa Indonesia"),
    "choose": ("Layanan apa yang Anda terima?", "Which service did you receive?"),
    "no_layanan": (
        "Belum ada layanan yang dapat dinilai di sini.",
        "No service can be rated here yet.",
    ),
    "intro": (
        "Bagaimana layanan yang baru Anda terima? Jawaban Anda tanpa nama.",
        "How was the service that you received? Your answers are anonymous.",
    ),
    "question": ("Pertanyaan", "Question"),
    "of": ("dari", "of"),
    "optional": ("boleh tidak diisi", "optional"),
    "profile": ("Tentang Anda", "About you"),
    "profile_why": (
        "Membantu melihat apakah semua orang dilayani sama baiknya.",
        "It helps to see whether everybody is served equally well.",
    ),
    "no_answer": ("Tidak menjawab", "Prefer not to say"),
    "sex": ("Jenis kelamin", "Sex"),
    "age": ("Umur (tahun)", "Age (years)"),
    "education": ("Pendidikan terakhir", "Education"),
    "occupation": ("Pekerjaan", "Occupation"),
    "comment": ("Saran atau masukan", "Suggestions"),
    "comment_why": (
        "Jangan tulis nama, NIK, atau nomor telepon.",
        "Please write no names, identity or telephone numbers.",
    ),
    "ticket": ("Kode tiket", "Ticket code"),
    "ticket_why": (
        "16 tanda pada tiket yang Anda terima di loket.",
        "The 16 signs on the ticket that you got at the counter.",
    ),
    "trap": ("Biarkan kosong", "Leave this empty"),
    "send": ("Kirim jawaban", "Send answers"),
    "next": ("Lanjut", "Next"),
    "back": ("Kembali", "Back"),
    "unanswered": ("Pilih satu jawaban dahulu.", "Please choose an answer first."),
    "sending": ("Mengirim …", "Sending …"),
    "kept": ("Tersimpan di perangkat ini", "Kept on this device"),
    "kept_why": (
        "Belum ada jaringan. Jawaban Anda dikirim sendiri begitu tersambung, dan dihitung sekali.",
        "There is no network. Your answers are sent once there is, and counted once.",
    ),
    "waiting": ("Jawaban menunggu jaringan:", "Answers that wait for the network:"),
    "delivered": ("Jawaban yang tersimpan sudah terkirim.", "The kept answers were sent."),
    "thanks": ("Terima kasih", "Thank you"),
    "thanks_why": (
        "Jawaban Anda sudah kami terima dan akan dihitung.",
        "We have received your answers; they will be counted.",
    ),
    "receipt": ("Tanda terima", "Receipt"),
    "index": ("Indeks Kepuasan Masyarakat layanan ini", "Satisfaction index of this service"),
    "index_12m": ("12 bulan terakhir", "the last 12 months"),
    "index_all": ("sejak awal", "since the beginning"),
    "index_from": ("responden", "respondents"),
    "index_steps": (
        "Angka umum bergerak setiap lima jawaban atau lebih, agar jawaban Anda tidak dikenali.",
        "Public figures move by five answers or more, so that nobody can tell yours.",
    ),
    "no_index": (
        "Indeks layanan ini tampil setelah cukup banyak orang menjawab.",
        "The index of this service is shown once enough people have answered.",
    ),
    "again": ("Nilai layanan lain", "Rate another service"),
    "retry": ("Muat ulang halaman", "Load the page again"),
    "problem": ("Belum terkirim", "Not sent yet"),
    "expired": (
        "Halaman ini sudah terlalu lama terbuka. Muat ulang, lalu jawab sekali lagi.",
        "This page has been open for too long. Load it again and answer once more.",
    ),
    "trapped": (
        "Kolom tersembunyi terisi. Muat ulang halaman dan jawab sekali lagi.",
        "A hidden field was filled in. Load the page again and answer once more.",
    ),
    "unreadable": (
        "Jawaban tidak dapat dibaca. Muat ulang halaman dan jawab sekali lagi.",
        "The answers cannot be read. Load the page again and answer once more.",
    ),
    "too_many": (
        "Terlalu banyak jawaban dari jaringan ini. Coba lagi satu jam lagi.",
        "Too many answers came from this network. Try again in an hour.",
    ),
    "incomplete": (
        "Beberapa jawaban belum terisi atau tidak dapat dibaca:",
        "Some answers are missing or cannot be read:",
    ),
    "bad_ticket": (
        "Kode tiket diperlukan dan harus berlaku untuk layanan ini. Periksa 16 tandanya.",
        "A ticket code for this service is needed. Please check its 16 signs.",
    ),
    "unavailable": (
        "Layanan sedang tidak dapat menyimpan. Coba lagi sebentar lagi.",
        "The service cannot store now. Please try again shortly.",
    ),
    "not_found": (
        "Halaman survei ini tidak ada. Periksa alamat atau pindai ulang kode QR.",
        "There is no such survey page. Check the address, or scan the QR code again.",
    ),
}


def texts(language: Language) -> dict[str, str]:
    """Return everything that a page says, by its key."""
    position = LANGUAGES.index(language)
    return {key: pair[position] for key, pair in _TEXTS.items()}


def number(value: Decimal | int, language: Language) -> str:
    """Write a number as 1.234 or 88,31 in Indonesian, as 1,234 or 88.31 in English."""
    text = f"{value:,}"
    return text if language == "en" else text.translate(str.maketrans(",.", ".,"))
