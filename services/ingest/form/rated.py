"""Which layanan a page is about, and by which channel its answers come."""

from typing import NamedTuple

from services.ingest.form.sending import form_channel
from services.ingest.watch import Watch
from shared.domain.questionnaire import Questionnaire
from shared.registry.snapshot import Channel, Layanan, Opd


class RatedLayanan(NamedTuple):
    """What a page asks about, and by which channel its answers come."""

    opd: Opd
    layanan: Layanan
    questionnaire: Questionnaire
    channel: Channel


def rated_layanan(watch: Watch, opd: str, layanan: str) -> RatedLayanan | None:
    """Return what a page asks about; None for what is not open today."""
    entry = watch.registry.opd.get(opd)
    kind = entry.layanan.get(layanan) if entry else None
    questionnaire = watch.registry.questionnaire_for(opd, layanan, None)
    channel = form_channel(watch.registry, opd, watch.today)
    if entry is None or kind is None or questionnaire is None or channel is None:
        return None
    is_open = entry.is_open(watch.today) and kind.is_open(watch.today)
    return RatedLayanan(entry, kind, questionnaire, channel) if is_open else None
