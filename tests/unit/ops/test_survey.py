"""What the terminal of a stack shows of the citizens' pages."""

from dataclasses import dataclass, field
from typing import cast

import pytest

from services.ops.client import ServiceAnswer
from services.ops.errors import CannotStart
from services.ops.stack.stack import Addresses, Stack
from services.ops.stack.survey import survey_lines

WEB = "http://127.0.0.1:8000"
PHONE = "http://192.168.1.7:8000"


@dataclass
class Running:
    """A stack as far as it is asked here; its pages answer with `status`."""

    phone_address: str | None = None
    status: int = 200
    is_empty: bool = False
    asked: list[str] = field(default_factory=list)
    addresses: Addresses = field(default_factory=lambda: Addresses(WEB, "", ""))

    @property
    def client(self) -> "Running":
        return self

    def command(self, *arguments: str) -> str:
        if self.is_empty:
            raise CannotStart("no layanan is open")
        return f"Dinas: KTP\n{arguments[-1]}/s/dinas/ktp\n██\n▀▀\n"

    def get(self, path: str) -> ServiceAnswer:
        self.asked.append(path)
        return ServiceAnswer(self.status, b"")


def lines(stack: Running) -> list[str]:
    return survey_lines(cast("Stack", stack))


def test_phones_get_the_address_of_this_machine_in_their_network() -> None:
    stack = Running(PHONE)
    assert lines(stack) == [f"  Survei / survey  {PHONE}/s/dinas/ktp", "    ██", "    ▀▀"]
    assert stack.asked == ["/s/dinas/ktp"]


def test_a_stack_of_this_machine_alone_says_how_phones_reach_it() -> None:
    address, *advice, _, _ = lines(Running())
    assert address.endswith(f"{WEB}/s/dinas/ktp")
    assert "IKM_HOST=0.0.0.0" in advice[-1]


@pytest.mark.parametrize(
    "stack", [Running(status=404), Running(status=503), Running(is_empty=True)]
)
def test_where_there_is_no_page_none_is_shown(stack: Running) -> None:
    assert lines(stack) == []
