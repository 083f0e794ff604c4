"""What Collect shows its user, whatever is said."""

from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from services.ingest.formats.openrosa.message import refusal, response, thanks
from shared.domain.violation import Violation
from shared.problems import KINDS, problem

MESSAGE = "{http://openrosa.org/http/response}message"


def message_of(document: bytes) -> tuple[str | None, str | None]:
    element = ET.fromstring(document).find(MESSAGE)
    assert element is not None
    return element.get("nature"), element.text


def test_a_stored_submission_is_thanked_for() -> None:
    nature, text = message_of(thanks())
    assert nature == "submit_success"
    assert str(text).startswith("Terima kasih")


def test_every_problem_is_a_message_that_keeps_its_status_but_for_a_password() -> None:
    for code, kind in KINDS.items():
        status, document = refusal(problem(code, "sebab <&> \x00").body)
        nature, text = message_of(document)
        assert (status, nature) == (403 if kind.status == 401 else kind.status, "error")
        assert str(text) == f"{kind.judul}. {kind.title}: sebab <&> "


def test_a_violation_is_told_without_the_name_of_the_part() -> None:
    errors = [Violation("/xml_submission_file/answers/U1", "range", "must be 1 to 4")]
    _, document = refusal(problem("invalid-submission", "x", errors=errors).body)
    assert str(message_of(document)[1]).endswith("/answers/U1: must be 1 to 4")


@given(st.text())
def test_any_text_is_well_formed(text: str) -> None:
    assert message_of(response(text, "error"))[0] == "error"
