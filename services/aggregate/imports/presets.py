"""The presets: from the names of a file's columns to a mapping of its fields.

    template       the raw data sheet `Data_Survei_Mentah`: No, Jenis Kelamin, …, U1 … U9, Saran
    limesurvey     the export of responses as CSV, question codes or texts as headings
    google-forms   the answers as CSV or spreadsheet, the questions as headings
    ikm            our own: the members of a submission as headings

A column is known by its heading, without regard to capitals and spaces.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

from services.aggregate.imports.options import ImportOptions
from services.aggregate.imports.reading.table import FileFault
from shared.domain.questionnaire import SKM_2017, Questionnaire, Unsur
from shared.domain.respondent import EDUCATION_LABELS, OCCUPATION_LABELS, SEX_LABELS
from shared.registry.snapshot import Channel, Registry

HEADINGS: Final[Mapping[str, Sequence[str]]] = {
    "opd": ("opd", "perangkat daerah", "unit kerja"),
    "layanan": ("layanan", "jenis layanan", "jenis_layanan", "service"),
    "sex": ("jenis kelamin", "jenis_kelamin", "kelamin", "jk", "sex"),
    "age": ("usia", "umur", "age"),
    "education": ("pendidikan terakhir", "pendidikan", "education"),
    "occupation": ("pekerjaan", "pekerjaan utama", "occupation"),
    "comment": ("saran/masukan", "saran", "masukan", "saran dan masukan", "comment"),
    "submitted_at": ("submitted_at", "tanggal", "waktu", "timestamp", "cap waktu", "submitdate"),
}
_OWN_HEADINGS: Final[Mapping[str, Sequence[str]]] = {
    name: (name,) for name in ("questionnaire", "point", "replaces")
}
_SPELLINGS: Final[Mapping[str, Mapping[str, str]]] = {
    "sex": {"pria": "L", "male": "L", "wanita": "P", "female": "P", "laki laki": "L"},
    "education": {
        "slta": "SMA", "smk": "SMA", "sma/smk": "SMA", "sma/sederajat": "SMA", "sltp": "SMP",
        "smp/sederajat": "SMP", "sd/sederajat": "SD", "diploma 1": "D1", "diploma 2": "D2",
        "diploma 3": "D3", "diploma 4": "D4", "sarjana": "S1", "magister": "S2", "doktor": "S3",
        "d-1": "D1", "d-2": "D2", "d-3": "D3", "d-4": "D4", "s-1": "S1", "s-2": "S2", "s-3": "S3",
    },
    "occupation": {
        "asn": "PNS", "pegawai negeri sipil": "PNS", "pegawai swasta": "SWASTA",
        "karyawan swasta": "SWASTA", "wiraswasta": "WIRAUSAHA", "wirausahawan": "WIRAUSAHA",
        "pelajar": "PELAJAR", "mahasiswa": "PELAJAR", "lain-lain": "LAINNYA",
    },
}  # fmt: skip
_LABELS: Final = {
    "sex": SEX_LABELS,
    "education": EDUCATION_LABELS,
    "occupation": OCCUPATION_LABELS,
}
# "G01Q02[U1]", "U1[SQ001]", "U1. Bagaimana …", "survei_U1"; of Google's grids "Pertanyaan [U1 …]".
_CODES: Final = re.compile(r"(?:^|[\[_\s])([a-z0-9-]{1,16})(?=$|[\].:)\s\[])")


@dataclass(frozen=True, slots=True)
class Preset:
    """What is particular to a preset: its times, whether it has ids, what no row may lack."""

    time_format: str | None = None
    has_ids: bool = False
    completed: str | None = None  # the member that only a complete answer has


KINDS: Final[Mapping[str, Preset]] = {
    "template": Preset(),
    "limesurvey": Preset("%Y-%m-%d %H:%M:%S", has_ids=True, completed="submitted_at"),
    "google-forms": Preset("%Y/%m/%d %I:%M:%S %p %z"),
    "ikm": Preset(has_ids=True),
}


def folded(heading: str) -> str:
    """Return a heading as it is compared."""
    return " ".join(heading.split()).casefold()


@dataclass(frozen=True, slots=True)
class Recogniser:
    """Makes the mapping of a file from its headings, by a preset."""

    registry: Registry
    channel: Channel
    options: ImportOptions

    def mapping(self, headings: Sequence[str]) -> dict[str, Any]:
        """Return the settings of the mapping. Raises FileFault that names what is missing."""
        columns: dict[str, str] = {}
        for name in headings:
            columns.setdefault(folded(name), name)
        settings = self._members(columns)
        questionnaire = self._questionnaire()
        answers = {
            unsur.code: {"field": heading, "values": _scores(unsur)}
            for unsur in questionnaire.unsur
            if (heading := _answer_column(unsur, columns)) is not None
        }
        missing = [u.code for u in questionnaire.unsur if u.required and u.code not in answers]
        missing += [name for name in ("opd", "layanan") if name not in settings]
        if missing:
            detail = f"no column was recognised for: {', '.join(missing)}"
            raise FileFault("columns", detail, len(missing))
        return {**settings, "answers": answers}

    def _questionnaire(self) -> Questionnaire:
        code, layanan = self.options.opd or "", self.options.layanan or ""
        return self.registry.questionnaire_for(code, layanan, None) or SKM_2017

    def _members(self, columns: Mapping[str, str]) -> dict[str, Any]:
        kind = KINDS[self.options.preset]
        headings = {
            name: next((columns[text] for text in texts if text in columns), None)
            for name, texts in HEADINGS.items()
        }
        settings: dict[str, Any] = {}
        profile = {
            name: {"field": heading, "values": _profile_values(name)} if name != "age" else heading
            for name in ("sex", "age", "education", "occupation")
            if (heading := headings[name]) is not None
        }
        if profile:
            settings["respondent"] = profile
        if headings["comment"] is not None:
            settings["comment"] = headings["comment"]
        settings |= self._places(headings["opd"], headings["layanan"])
        settings |= self._time(kind, headings["submitted_at"])
        if kind.has_ids and "id" in columns:
            settings["id"] = columns["id"]
        if self.options.preset == "ikm":
            own = {name: columns[name] for name in _OWN_HEADINGS if name in columns}
            settings |= own
        return settings

    def _places(self, opd: str | None, layanan: str | None) -> dict[str, Any]:
        """Return where the answers belong; names of the registry stand for its codes."""
        offices = [
            office
            for office in self.registry.opd.values()
            if self.channel.serves(office.code) and self.options.opd in {None, office.code}
        ]
        if self.options.opd is None and opd is None and len(offices) != 1:
            raise FileFault("columns", "no column says which OPD: give opd=CODE")
        places: dict[str, Any] = {}
        if self.options.opd is not None:
            places["opd"] = {"value": self.options.opd}
        elif opd is not None:
            names = _names((office.code, office.name) for office in offices)
            places["opd"] = {"field": opd, "values": names}
        else:
            places["opd"] = {"value": offices[0].code}
        services = [service for office in offices for service in office.layanan.values()]
        if self.options.layanan is not None:
            places["layanan"] = {"value": self.options.layanan}
        elif layanan is not None and services:
            names = _names((service.code, service.name) for service in services)
            places["layanan"] = {"field": layanan, "values": names}
        return places

    def _time(self, kind: Preset, heading: str | None) -> dict[str, Any]:
        zone = self.options.timezone or self.registry.instansi.timezone
        if heading is None or self.options.day is not None:
            if self.options.day is None:
                return {}
            noon = datetime.combine(date.fromisoformat(self.options.day), time(12), ZoneInfo(zone))
            return {"submitted_at": {"value": noon.isoformat()}}
        source = {"field": heading, "timezone": zone}
        pattern = self.options.time_format or kind.time_format
        return {"submitted_at": source if pattern is None else {**source, "format": pattern}}


def _answer_column(unsur: Unsur, columns: Mapping[str, str]) -> str | None:
    code = unsur.code.casefold()
    exact = {code, folded(unsur.key), folded(unsur.name), folded(unsur.question)}
    for text, heading in columns.items():
        if text in exact:
            return heading
    for text, heading in columns.items():
        # "… [skor]" of a quiz repeats the heading of its question: the first one is the answer.
        if code in _CODES.findall(text) or folded(unsur.question) in text:
            return heading
    return None


def _scores(unsur: Unsur) -> dict[str, int]:
    values = {str(score): score for score in (1, 2, 3, 4)}
    values |= {f"A{score}": score for score in (1, 2, 3, 4)}
    values |= {f"AO0{score}": score for score in (1, 2, 3, 4)}
    for score, option in enumerate(unsur.options, 1):
        values.setdefault(folded(option), score)
    return values


def _profile_values(name: str) -> dict[str, str]:
    values = {folded(code): code for code in _LABELS[name]}
    for code, label in _LABELS[name].items():
        values.setdefault(folded(label), code)
    return {**_SPELLINGS[name], **values}


def _names(codes: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the codes by themselves and by their names, unless two have that name."""
    pairs = list(codes)
    named: dict[str, set[str]] = {}
    for code, name in pairs:
        named.setdefault(folded(name), set()).add(code)
    values = {name: min(owners) for name, owners in named.items() if len(owners) == 1}
    return values | {folded(code): code for code, _ in pairs}
