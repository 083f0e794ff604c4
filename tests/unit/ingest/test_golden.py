"""The golden requests of every format: what is answered, to the last byte, and what is stored.

A case is two files in tests/golden/formats/<format>: `<case>.http`, the request, and
`<case>.json`, the answer with what went into the inbox. GOLDEN=write writes the answers anew, to be
read before they are committed.
"""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from services.ingest.api.schemas import SCHEMAS
from services.ingest.formats import FORMATS
from tests.unit.ingest.doubles import Answer, Desk

FOLDER = Path(__file__).parents[2] / "golden" / "formats"
CASES = sorted(FOLDER.glob("*/*.http"))
PATHS = {wire_format.name: wire_format.path for wire_format in FORMATS.values()}


def schema(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}", "components": {"schemas": SCHEMAS}}


def answer_to(request: Path) -> tuple[Answer, list[tuple[str, bytes]]]:
    head, _, body = request.read_bytes().partition(b"\n\n")
    first, *more = head.decode().splitlines()
    method, _, path = first.partition(" ")  # a path with parameters is written out
    if method != "POST":
        path, more = PATHS[request.parent.name], [first, *more]
    lines = [line.partition(": ") for line in more]
    headers = [(name, value) for name, _, value in lines]

    async def main() -> tuple[Answer, list[tuple[str, bytes]]]:
        desk = Desk()
        answer = await desk.post(body.removesuffix(b"\n"), headers, path)
        return answer, desk.stored

    return asyncio.run(main())


def recorded(answer: Answer, stored: list[tuple[str, bytes]]) -> dict[str, Any]:
    headers = {name: value for name, value in answer.headers.items() if name != "content-length"}
    inbox = [{"id": source_id, "submission": json.loads(raw)} for source_id, raw in stored]
    return {
        "status": answer.status,
        "headers": headers,
        "body": json.loads(answer.body) if _is_json(answer) else answer.body.decode(),
        "stored": inbox,
    }


def _is_json(answer: Answer) -> bool:
    return answer.headers["content-type"].endswith("json")


@pytest.mark.parametrize("request_file", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_golden_request_has_its_golden_answer(request_file: Path) -> None:
    answer, stored = answer_to(request_file)
    actual, expected = recorded(answer, stored), request_file.with_suffix(".json")
    if _is_json(answer):
        form = "Accepted" if answer.status == 202 else "Problem"
        jsonschema.validate(actual["body"], schema(form))
    if os.environ.get("GOLDEN") == "write":
        expected.write_text(json.dumps(actual, indent=1, ensure_ascii=False) + "\n")
    assert actual == json.loads(expected.read_text())


@pytest.mark.parametrize("wire_format", FORMATS.values(), ids=lambda wire_format: wire_format.name)
def test_every_format_has_golden_cases_for_yes_and_for_no(wire_format: Any) -> None:
    answers = [json.loads(path.read_text()) for path in (FOLDER / wire_format.name).glob("*.json")]
    unknown_key = 401 if wire_format.reply is None else 403  # an own reply may say it in its way
    assert {202, unknown_key, 403, 415, 422} <= {answer["status"] for answer in answers}


def test_every_answer_has_its_request() -> None:
    assert {path.with_suffix(".http") for path in FOLDER.glob("*/*.json")} == set(CASES)
