"""A ticket from `ikm ticket create` to the verified index: counted once, whatever way it comes."""

from datetime import UTC, datetime

from services.aggregate.read.app import ReadApi
from services.aggregate.verify.proof import verify
from services.aggregate.worker.drain import drain
from services.aggregate.worker.refreshing import refresh_now
from services.ops.registry.places import open_places, read_registry
from services.ops.registry.tickets import create_tickets
from shared.inbox.audit import Audit
from shared.registry.publication import publish
from shared.storage.engine import opened, transaction
from shared.storage.registry import access_keys
from tests.builders import KEY, stopped_clock
from tests.integration.access import stored_key
from tests.integration.aggregate.counting.counting import apply, settings, worker_context
from tests.integration.aggregate.read.read_service import Read, eventually
from tests.integration.ingest.ingest_service import PREFIX, post, serving

NOW = datetime(2026, 5, 4, 3, 0, tzinfo=UTC)
CITY = """
instansi: {code: uji, name: Kota Uji, timezone: Asia/Jakarta}
opd:
  - {code: disdukcapil, name: Dinas, layanan: [{code: ktp-el, name: KTP}, {code: kk, name: KK}]}
channels: [{name: loket, kind: api}, {name: tiket, kind: tiket}]
"""
INDEX = "/v1/opd/disdukcapil/ikm"


def test_a_ticket_counts_once_and_makes_its_answer_verified(
    database_url: str, redis_url: str
) -> None:
    with (
        opened(database_url) as engine,
        worker_context(database_url, redis_url, redis_prefix=PREFIX) as context,
    ):
        apply(engine, CITY)
        with transaction(engine) as connection:
            access_keys.store(connection, KEY, stored_key("uji", "loket", NOW, reads=True))
        publish(context.redis, PREFIX, context.registry())
        configured = settings(database_url, redis_url)
        registry = read_registry(configured)
        [place] = open_places(registry, "disdukcapil", "ktp-el")
        [(_, code), (_, other)] = create_tickets(configured, registry, place, 2)
        read = Read(ReadApi(configured, lambda: NOW), KEY)
        read.app.service.start()
        with serving(redis_url) as client:
            eventually(lambda: client.get("/readyz").is_success)
            eventually(lambda: read.get("/readyz").is_success)
            first = post(client, "a", ticket=code)
            again = post(client, "b", ticket=code.lower())
            assert first.json()["receipts"] == again.json()["receipts"]
            changed = post(client, "c", ticket=code, comment="Lain")
            assert changed.json()["receipts"] == first.json()["receipts"]
            assert post(client, "d").status_code == post(client, "e").status_code == 202
            elsewhere = post(client, "f", ticket=other, layanan="kk")
            assert (elsewhere.status_code, elsewhere.json()["errors"][0]["code"]) == (
                403,
                "ticket-elsewhere",
            )
        assert drain(context, stopped_clock(NOW)) == 5
        refresh_now(context, stopped_clock(NOW))
        eventually(lambda: read.get(INDEX).json()["respondents"] == 3)
        assert read.get(f"{INDEX}?verified=true").json()["respondents"] == 1
        read.app.service.stop()
        assert not verify(engine, Audit(context.redis, PREFIX)).findings
