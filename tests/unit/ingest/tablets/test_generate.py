"""The XForms: as pyxform makes them, and as ODK Validate judges them."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import pyxform

from services.ingest.tablets.generate import xform
from services.ingest.tablets.survey import Survey
from shared.domain.questionnaire import SKM_2017
from tests.builders import questionnaire

JAR = Path(pyxform.__file__).parent / "validators" / "odk_validate" / "bin" / "ODK_Validate.jar"
ODD = replace(
    questionnaire("aneh", "1-a", "class", "U3", "_", optional=frozenset({"class"})),
    name="Apa ${kabar} < & > \"'",
)
SURVEYS = {
    "single": Survey("disdukcapil", "Disdukcapil", (("ktp-el", "KTP"),), SKM_2017),
    "several": Survey("dinkes", "Dinas", (("lab", "Lab"), ("igd", "IGD")), SKM_2017),
    "odd": Survey("a-1", "<${x}> & \"'", (("0", "${"), ("1-2", "a, b")), ODD),
}


def test_the_same_survey_gives_the_same_form() -> None:
    assert xform(SURVEYS["several"]) == xform(SURVEYS["several"])


def test_a_form_speaks_both_languages_and_begins_in_indonesian() -> None:
    form = xform(SURVEYS["several"])
    assert '<translation lang="Bahasa Indonesia (id)" default="true()">' in form
    assert '<translation lang="English (en)">' in form
    assert "Layanan yang diterima" in form
    assert "Service that you used" in form


def test_the_id_of_an_instance_is_made_by_the_tablet() -> None:
    assert 'jr:preload="uid"' in xform(SURVEYS["single"])


@pytest.mark.parametrize("name", SURVEYS)
def test_odk_validate_passes_the_form(name: str, java: str, tmp_path: Path) -> None:
    file = tmp_path / "form.xml"
    file.write_text(xform(SURVEYS[name]), encoding="utf-8")
    command = [java, "-Djava.awt.headless=true", "-jar", str(JAR), str(file)]
    judged = subprocess.run(command, capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stderr
    assert "Xform is valid" in judged.stdout
