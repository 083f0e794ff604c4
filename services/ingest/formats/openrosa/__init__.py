"""OpenRosa 1.0: what ODK Collect and KoboCollect send, an XML instance in a multipart body."""

from services.ingest.formats.format import Format
from services.ingest.formats.openrosa import submission

OPENROSA = Format("openrosa", "/v1/key/{key}/submission", submission.parse)
