"""An example city: its folder, its channel key, and its replay of published responses."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from math import inf
from pathlib import Path

from services.ops.client import Client, OpdReading
from services.ops.errors import CannotStart
from services.ops.stack.files import private_file
from shared.registry.file import Document, parse
from shared.registry.snapshot import Channel

Say = Callable[[str], None]

# Real responses with the index that was published after each one (the example's README says more).
STREAM = "kediri-2024.csv"
STREAM_OPD = "contoh-kediri"
KEY_FILE = "example.key"
STREAM_KEY_FILE = "example-stream.key"
_UNSUR = tuple(f"U{number}" for number in range(1, 10))
_COUNT_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Example:
    """One folder of `examples/`: a registry, and perhaps a stream to replay."""

    folder: Path

    @property
    def registry_file(self) -> Path:
        """The registry to apply."""
        return self.folder / "registry.yaml"

    def registry(self) -> Document:
        """Read what the registry file names."""
        return parse(self.registry_file.read_text(encoding="utf-8"))

    def channel(self) -> str:
        """Return the channel that people get a key of: the one for the most OPDs."""
        return max(self._json_channels(), key=_breadth).name

    def stream_channel(self) -> str:
        """Return the channel of the stream: the one for the fewest OPDs, its own among them."""
        covering = [
            channel
            for channel in self._json_channels()
            if channel.opd is None or STREAM_OPD in channel.opd
        ]
        return min(covering, key=_breadth).name

    def _json_channels(self) -> list[Channel]:
        channels = [
            channel for channel in self.registry().channels.values() if channel.kind == "api"
        ]
        if not channels:
            raise CannotStart(f"{self.registry_file} has no channel of kind api")
        return channels

    def stream(self) -> list["PublishedStep"]:
        """Read the responses to replay; none when the example has no stream."""
        path = self.folder / STREAM
        if not path.exists():
            return []
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        (layanan, *_) = self.registry().opd[STREAM_OPD].layanan
        return [_event(row, layanan) for row in rows]


@dataclass(frozen=True, slots=True)
class PublishedStep:
    """One response of the stream and the index that was published after it."""

    number: int
    submission: dict[str, object]
    published: Decimal

    @property
    def day(self) -> date:
        """The day of the response."""
        return date.fromisoformat(str(self.submission["submitted_at"])[:10])


def find(name: str) -> Example:
    """Find the example of this name, in this code's repository or in the current folder."""
    places = [Path(__file__).resolve().parents[3] / "examples", Path.cwd() / "examples"]
    for place in places:
        if (place / name / "registry.yaml").is_file():
            return Example(place / name)
    names = sorted({path.parent.name for place in places for path in place.glob("*/registry.yaml")})
    choice = (
        f"there are: {', '.join(names)}"
        if names
        else f"no examples lie in {' or '.join(map(str, places))}"
    )
    raise CannotStart(f"there is no example {name!r}; {choice}")


def kept_key(path: Path, client: Client, create: Callable[[], str]) -> str:
    """Return the key kept in a file; made anew where it does not submit and read, as it should."""
    if path.exists():
        key = path.read_text(encoding="ascii").strip()
        if client.may_do_both(key, STREAM_OPD):
            return key
    key = create()
    private_file(path, f"{key}\n")
    client.await_key(key)
    return key


def replay(example: Example, client: Client, key: str, say: Say) -> None:
    """Post the stream one by one; after each show the index served beside the published one."""
    events = example.stream()
    if not events:
        return
    before = client.index(STREAM_OPD, key).respondents
    if before < len(events):
        say("")
        say(
            f"{example.folder.name}/{STREAM}: {len(events)} jawaban nyata, satu per satu / "
            "real responses, one by one"
        )
        say("   #  tanggal       IKM       terbit/published")
    for event in events:
        client.post(event.submission, key)
        after = client.index_after(STREAM_OPD, key, event.number, _COUNT_TIMEOUT_S)
        if event.number > before:
            served = f"{after.ikm:6} {after.mutu}  {event.published:>15}  {_mark(after.ikm, event)}"
            say(f"  {event.number:2}  {event.day}  {served}")
    final = client.index(STREAM_OPD, key)
    _conclude(events, before, final, say)


def _conclude(events: list[PublishedStep], before: int, final: OpdReading, say: Say) -> None:
    if before >= len(events):
        say("")
        say(
            f"{STREAM}: dikirim ulang, tidak ada yang berubah / "
            "posted again, all duplicates, nothing changed"
        )
    say(
        f"{STREAM_OPD}: IKM {final.ikm} {final.mutu} dari {final.respondents} responden; "
        f"terbit/published {events[-1].published}  {_mark(final.ikm, events[-1])}"
    )


def _mark(ikm: Decimal | None, event: PublishedStep) -> str:
    return "✓" if ikm == event.published.quantize(Decimal("0.01"), ROUND_HALF_UP) else "✗"


def _breadth(channel: Channel) -> float:
    return inf if channel.opd is None else len(channel.opd)


def _event(row: dict[str, str], layanan: str) -> PublishedStep:
    number = int(row["event"])
    submission: dict[str, object] = {
        "id": f"kediri-{number}",
        "opd": STREAM_OPD,
        "layanan": layanan,
        "submitted_at": row["submitted_at"],
        "answers": {code: int(row[code]) for code in _UNSUR},
    }
    return PublishedStep(number, submission, Decimal(row["published_ikm"]))
