"""One citizen's page of the stack, for its terminal: a newcomer answers with a phone."""

from http import HTTPStatus

from services.ops.errors import CannotStart
from services.ops.stack.stack import Stack


def survey_lines(stack: Stack) -> list[str]:
    """Return the address of one page, its QR code, and how phones reach it; nothing without one."""
    base = stack.phone_address or stack.addresses.web
    try:
        _, address, *code = stack.command("qr", "--base-url", base).splitlines()
    except CannotStart:  # no layanan is open
        return []
    if stack.client.get(address.removeprefix(base)).status != HTTPStatus.OK:
        return []
    lines = [f"  Survei / survey  {address}"]
    if stack.phone_address is None:
        lines += (
            "                   (hanya di komputer ini; dari ponsel di jaringan yang sama /",
            "                   this machine only; from phones in its network: IKM_HOST=0.0.0.0)",
        )
    return [*lines, *(f"    {line}" for line in code)]
