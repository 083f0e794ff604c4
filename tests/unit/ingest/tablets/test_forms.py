"""Forms are made once, however many ask, and made anew only when something else is asked."""

import asyncio
import logging
from dataclasses import replace
from datetime import date

import pytest

from services.ingest.tablets import forms as forms_module
from services.ingest.tablets.documents import form_list
from services.ingest.tablets.forms import Forms, FormsUnavailable
from services.ingest.tablets.survey import Survey
from shared.registry.snapshot import Instansi
from tests.builders import registry

TODAY = date(2026, 5, 4)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the forms that are made, by a generator that says their titles."""
    ids: list[str] = []

    def generated(missing: list[Survey]) -> list[str]:
        ids.extend(survey.form_id for survey in missing)
        return [f"<{survey.version}/>" for survey in missing]

    monkeypatch.setattr(forms_module, "_generated", generated)
    return ids


def test_a_form_is_made_once_for_all_who_ask(made: list[str]) -> None:
    async def main() -> None:
        forms = Forms()
        answers = await asyncio.gather(*(forms.of(registry(), TODAY) for _ in range(20)))
        assert all(answer == answers[0] for answer in answers)
        assert set(answers[0]) == set(made)
        assert len(made) == 3
        later = replace(registry(version=2), instansi=Instansi("uji", "Lain", "Asia/Jakarta"))
        assert await forms.of(later, TODAY) == answers[0]
        assert len(made) == 3
        dinkes = replace(registry().opd["dinkes"], name="Dinkes")
        renamed = registry(version=3, opd={**registry().opd, "dinkes": dinkes})
        await forms.of(renamed, TODAY)
        assert made[3:] == ["skm-2017.dinkes", "singkat.dinkes"] or len(made) == 5

    asyncio.run(main())


def test_a_generator_that_fails_says_so_and_is_tried_again(
    made: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(forms_module, "_GENERATOR", "services.ingest.tablets.absent")

    async def main() -> None:
        forms = Forms()
        with caplog.at_level(logging.ERROR), pytest.raises(FormsUnavailable):
            await forms.of(registry(), TODAY)
        assert "forms could not be made" in caplog.text
        monkeypatch.setattr(forms_module, "_generated", lambda missing: ["<a/>"] * len(missing))
        assert len(await forms.of(registry(), TODAY)) == 3

    asyncio.run(main())


def test_a_list_of_forms_is_escaped(made: list[str]) -> None:
    snapshot = registry()
    opd = replace(snapshot.opd["disdukcapil"], name="Dinas <A> & B")

    async def main() -> bytes:
        forms = await Forms().of(replace(snapshot, opd={"disdukcapil": opd}), TODAY)
        return form_list(forms.values(), 'https://a/"<', is_verbose=True)

    document = asyncio.run(main()).decode()
    assert "<name>SKM Dinas &lt;A&gt; &amp; B</name>" in document
    assert "https://a/&quot;&lt;/forms/skm-2017.disdukcapil.xml" in document
    assert "<descriptionText>" in document
