"""For all bodies and headers: a format answers with what was stored, or with a problem and why."""

import asyncio
import base64
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.formats import FORMATS
from services.ingest.formats.format import Parsed, Request, Unreadable
from shared.problems import KINDS
from tests.builders import authorization, submission
from tests.unit.ingest.doubles import Answer, Desk

MEDIA = {
    "/v1/submissions": ["application/json", "application/x-ndjson", "text/plain", ""],
    "/v1/events": [
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
        "application/json",
        "application/cloudevents+xml",
        "application/octet-stream",
    ],
}
names = st.sampled_from(
    ["id", "opd", "answers", "specversion", "source", "type", "data", "data_base64", "x"]
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-2, 2**70)
    | st.sampled_from(["", "1.0", "a b", "\0", "\ud800", "é"])
)
documents = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=6)
)


@st.composite
def events(draw: st.DrawFn) -> dict[str, object]:
    """An event, most often a good one."""
    data: Any = draw(
        st.sampled_from([submission(), submission(id=...), submission(opd=5)]) | documents
    )
    packed = base64.b64encode(json.dumps(data).encode()).decode()
    attributes = {"specversion": "1.0", "id": "1", "source": "/loket/3", "type": "skm"}
    event: dict[str, object] = attributes | draw(
        st.sampled_from([{"data": data}, {"data_base64": packed}, {}])
    )
    if draw(st.booleans()):
        event[draw(names)] = draw(scalars)
    return event


texts = st.one_of(documents, events(), st.lists(events(), max_size=3), st.just(submission()))
bodies = st.one_of(
    st.binary(max_size=40),
    texts.map(lambda document: json.dumps(document).encode()),
    st.lists(texts, max_size=3).map(
        lambda lines: b"\n".join(json.dumps(line).encode() for line in lines)
    ),
)
values = st.sampled_from(
    ["1", "1.0", '"1"', "%41", "%ff", "%", "", " ", "a b", "é", "x" * 600, "/loket/3"]
)
headers = st.dictionaries(
    st.sampled_from(["ce-id", "ce-source", "ce-type", "ce-specversion", "idempotency-key", "ce-x"]),
    values,
)
cases = st.sampled_from(list(MEDIA)).flatmap(
    lambda path: st.tuples(st.just(path), st.sampled_from(MEDIA[path]))
)


def ask(
    path: str, media: str, body: bytes, more: dict[str, str]
) -> tuple[Answer, list[tuple[str, bytes]]]:
    async def main() -> tuple[Answer, list[tuple[str, bytes]]]:
        desk = Desk()
        answer = await desk.post(body, {"content-type": media, **authorization(), **more}, path)
        return answer, desk.stored

    return asyncio.run(main())


@given(cases, bodies, headers)
@settings(max_examples=150, deadline=None)
def test_every_request_is_answered_with_202_or_a_problem(
    case: tuple[str, str], body: bytes, more: dict[str, str]
) -> None:
    answer, stored = ask(*case, body, more)
    said = msgspec.json.decode(answer.body)
    assert (answer.status == 202) == bool(stored)
    if answer.status == 202:
        assert said["accepted"] == len(stored) == len(said["receipts"])
    else:
        assert answer.status in {400, 413, 415, 422}
        assert answer.headers["content-type"] == "application/problem+json"
        assert (said["status"], KINDS[said["code"]].status) == (answer.status, answer.status)
        assert said["errors"]
    for source_id, raw in stored:
        assert 1 <= len(source_id) <= 700
        assert "\0" not in source_id
        assert isinstance(json.loads(raw), dict)


@given(cases, st.binary(max_size=60) | bodies)
@settings(max_examples=100, deadline=None)
def test_a_format_reads_items_or_says_that_it_cannot(case: tuple[str, str], body: bytes) -> None:
    path, media = case
    parsed: Parsed | Unreadable
    try:
        parsed = FORMATS[path].parse(Request(media.encode(), {}, body))
    except Unreadable as error:
        parsed = error
    assert parsed.code in KINDS if isinstance(parsed, Unreadable) else parsed.items


storable = documents.filter(lambda document: "\\ud800" not in json.dumps(document))


@given(
    st.lists(storable, min_size=1, max_size=5), st.sampled_from([b"\n", b"\r\n", b"\n\n", b"\n \n"])
)
@settings(max_examples=50, deadline=None)
def test_the_same_items_come_out_of_an_array_and_of_lines(items: list[object], end: bytes) -> None:
    raw = [json.dumps(item).encode() for item in items]
    parse = FORMATS["/v1/submissions"].parse
    array = parse(Request(b"application/json", {}, b" [" + b" , ".join(raw) + b"]"))
    lines = parse(Request(b"application/x-ndjson", {}, end.join(raw) + end))
    assert (
        [item.body.strip() for item in array.items]
        == [item.body.strip() for item in lines.items]
        == raw
    )
    assert array.is_batch
    assert lines.is_batch


printable = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=20)
sources = printable.filter(lambda text: " " not in text)


@given(st.lists(st.tuples(sources, printable), min_size=2, max_size=2, unique=True))
@settings(max_examples=100, deadline=None)
def test_two_events_are_two_submissions_in_every_mode(identities: list[tuple[str, str]]) -> None:
    source_ids = []
    for source, event_id in identities:
        attributes = {"specversion": "1.0", "id": event_id, "source": source, "type": "skm"}
        structured = json.dumps({**attributes, "data": submission()}).encode()
        quoted = {
            f"ce-{name}": "".join(f"%{byte:02X}" for byte in value.encode())
            for name, value in attributes.items()
        }
        for body, media, more in [
            (structured, "application/cloudevents+json", {}),
            (b"[" + structured + b"]", "application/cloudevents-batch+json", {}),
            (json.dumps(submission()).encode(), "application/json", quoted),
        ]:
            _, stored = ask("/v1/events", media, body, more)
            source_ids.append(stored[0][0])
    assert len(set(source_ids[:3])) == len(set(source_ids[3:])) == 1
    assert source_ids[0] != source_ids[3]


@pytest.mark.parametrize("depth", [100, 2_000, 200_000])
@pytest.mark.parametrize("path", list(MEDIA))
def test_depth_is_no_way_to_break_it(path: str, depth: int) -> None:
    for media in MEDIA[path]:
        for body in (b"[" * depth, b'{"data":' * depth, b"[" * depth + b"]" * depth):
            answer, stored = ask(path, media, body, {})
            assert (answer.status in {400, 413, 415, 422}, stored) == (True, [])


def test_half_a_surrogate_pair_makes_an_array_unreadable_and_of_lines_only_its_own() -> None:
    good, bad = json.dumps(submission()).encode(), b'{"opd":"\\ud800"}'
    answer, _ = ask("/v1/submissions", "application/json", b"[" + good + b"," + bad + b"]", {})
    assert answer.status == 400
    answer, stored = ask("/v1/submissions", "application/x-ndjson", good + b"\n" + bad, {})
    assert (answer.status, len(stored)) == (202, 1)
