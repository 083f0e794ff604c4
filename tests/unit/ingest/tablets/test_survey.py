"""Which forms there are, and what each asks."""

from dataclasses import replace
from datetime import date

from services.ingest.tablets.survey import Survey, surveys, xlsform
from shared.domain.questionnaire import SKM_2017
from shared.registry.snapshot import Layanan
from tests.builders import registry

TODAY = date(2026, 5, 4)


def ids(forms: list[Survey]) -> set[str]:
    return {survey.form_id for survey in forms}


def test_there_is_a_form_for_each_opd_and_questionnaire() -> None:
    assert ids(surveys(registry(), TODAY)) == {
        "skm-2017.disdukcapil",
        "skm-2017.dinkes",
        "singkat.dinkes",
    }


def test_what_is_closed_is_not_asked() -> None:
    snapshot = registry()
    dinkes, disdukcapil = snapshot.opd["dinkes"], snapshot.opd["disdukcapil"]
    closed = replace(dinkes, valid_to=date(2026, 5, 3))
    lab = Layanan("lab", "Lab", valid_from=date(2026, 5, 5))
    more = replace(disdukcapil, layanan={**disdukcapil.layanan, "lab": lab})
    forms = surveys(replace(snapshot, opd={"dinkes": closed, "disdukcapil": more}), TODAY)
    assert [survey.layanan for survey in forms] == [(("ktp-el", "KTP Elektronik"),)]


def test_the_version_follows_from_what_is_asked_and_not_from_the_registrys() -> None:
    before, after = (surveys(registry(version=version), TODAY) for version in (1, 2))
    assert [survey.version for survey in before] == [survey.version for survey in after]
    renamed = Survey("dinkes", "Dinas", (("lab", "Lab"),), SKM_2017)
    assert renamed.version != Survey("dinkes", "Dinas", (("lab", "L"),), SKM_2017).version
    assert renamed.version.isdigit()


def test_only_a_choice_of_layanan_is_asked() -> None:
    single = Survey("a", "A", (("x", "X"),), SKM_2017)
    several = Survey("a", "A", (("x", "X"), ("y", "Y")), SKM_2017)
    kinds = [
        {row["name"]: row["type"] for row in xlsform(survey)["survey"] if "name" in row}
        for survey in (single, several)
    ]
    assert [kind["layanan"] for kind in kinds] == ["calculate", "select_one layanan"]


def test_nothing_asks_for_the_tablet_or_its_user() -> None:
    survey = Survey("a", "A", (("x", "X"),), SKM_2017)
    types = {row["type"] for row in xlsform(survey)["survey"]}
    assert not types & {"deviceid", "username", "email", "phonenumber", "audit", "start-geopoint"}
