"""What is printed opens on a phone, or is refused before a hundred signs hang on counters."""

import pytest

from services.ops.prints.addresses import NoAddress, NoPoint, base_of, survey_address, typed

BASE = "https://ikm.kota.go.id"


@pytest.mark.parametrize(
    "address", [BASE, f"{BASE}/", "http://192.168.1.7:8000", "http://[::1]:8000", f"{BASE}/survei/"]
)
def test_an_address_of_the_service_is_taken_without_its_last_slash(address: str) -> None:
    assert base_of(address) == address.rstrip("/")


@pytest.mark.parametrize(
    "address",
    [
        *("", "ikm.kota.go.id", "ftp://kota", "https://", "https:///s", "javascript:alert(1)"),
        *("https://kota:99999", "https://kota:x", "https://[::1", f"{BASE}?a=b", f"{BASE}#a"),
        *(
            "https://a b",
            "https://kota\n",
            "https://kotä",
            "https://user@kota",
            f"{BASE}/{'x' * 200}",
        ),
    ],
)
def test_what_no_phone_opens_is_refused(address: str) -> None:
    with pytest.raises(NoAddress):
        base_of(address)


def test_an_address_carries_point_and_ticket() -> None:
    page = survey_address(BASE, "disdukcapil", "ktp-el")
    assert page == f"{BASE}/s/disdukcapil/ktp-el"
    assert survey_address(BASE, "disdukcapil", "ktp-el", point="loket-3") == f"{page}?p=loket-3"
    ticket = survey_address(BASE, "disdukcapil", "ktp-el", point="a", ticket="7K3M-9QWE-R2TX-8ZPA")
    assert ticket == f"{page}?p=a&t=7K3M-9QWE-R2TX-8ZPA"
    assert typed(ticket) == "ikm.kota.go.id/s/disdukcapil/ktp-el"


@pytest.mark.parametrize("point", ["", "loket 3", "../x", "x" * 65, "lökét", "a&b"])
def test_what_is_no_point_is_refused(point: str) -> None:
    with pytest.raises(NoPoint):
        survey_address(BASE, "disdukcapil", "ktp-el", point=point)
