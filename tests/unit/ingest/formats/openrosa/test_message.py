"""What Collect shows its user, whatever is said."""

from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.formats.openrosa.message import reply, response
from services.ingest.replies import Accepted
from shared.domain.violation import Violation
from shared.problems import KINDS, problem

MESSAGE = "{http://openrosa.org/http/response}message"


def message_of(document: bytes) -> tuple[str | None, str | None]:
    element = ET.fromstring(document).find(MESSAGE)
    assert element is not None
    return element.get("nature"), element.text


def test_a_stored_submission_is_thanked_for() -> None:
    thanks = reply(None, Accepted(1, ["r"], []))
    nature, text = message_of(thanks.body)
    assert thanks.status == 202
    assert nature == "submit_success"
    assert str(text).startswith("Terima kasih")


def test_every_problem_is_a_message_that_keeps_its_status_but_for_a_password() -> None:
    for code, kind in KINDS.items():
        told = reply(None, problem(code, "sebab <&> \x00"))
        nature, text = message_of(told.body)
        assert (told.status, nature) == (403 if kind.status == 401 else kind.status, "error")
        assert (b"retry-after" in dict(told.headers)) == (kind.retry_after_s is not None)
        assert str(text) == f"{kind.judul}. {kind.title}: sebab <&> "


def test_a_violation_is_told_without_the_name_of_the_part() -> None:
    errors = [Violation("/xml_submission_file/answers/U1", "range", "must be 1 to 4")]
    told = reply(None, problem("invalid-submission", "x", errors=errors))
    assert str(message_of(told.body)[1]).endswith("/answers/U1: must be 1 to 4")


@given(st.text())
def test_any_text_is_well_formed(text: str) -> None:
    assert message_of(response(text, "error"))[0] == "error"
