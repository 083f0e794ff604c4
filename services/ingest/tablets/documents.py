"""The documents that list forms and their media (OpenRosa 1.0, form discovery)."""

from collections.abc import Iterable

from services.ingest.formats.openrosa.message import xml_text
from services.ingest.tablets.forms import Form

MANIFEST = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b'<manifest xmlns="http://openrosa.org/xforms/xformsManifest"/>'
)  # no form has media


def form_list(forms: Iterable[Form], base: str, *, is_verbose: bool) -> bytes:
    """Return the list of forms, each to be fetched below the address `base`.

    Without media a form has no manifestUrl: a tablet saves itself a request.
    """
    entries = "".join(_entry(form, base, is_verbose=is_verbose) for form in forms)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<xforms xmlns="http://openrosa.org/xforms/xformsList">{entries}</xforms>'
    ).encode()


def _entry(form: Form, base: str, *, is_verbose: bool) -> str:
    survey = form.survey
    elements = {
        "formID": survey.form_id,
        "name": survey.title,
        "version": survey.version,
        "hash": f"md5:{form.md5}",
        "downloadUrl": f"{base}/forms/{survey.form_id}.xml",
    }
    if is_verbose:
        elements["descriptionText"] = survey.questionnaire.name
    inner = "".join(f"<{name}>{xml_text(text)}</{name}>" for name, text in elements.items())
    return f"<xform>{inner}</xform>"
