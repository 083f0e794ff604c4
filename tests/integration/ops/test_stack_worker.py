"""A worker outlives what happens to Redis: a lost acknowledgement costs only a redelivery."""

from collections.abc import Iterator
from typing import Any

import pytest
from kombu import Connection, Queue
from kombu.transport import redis as transport

from services.aggregate.worker.credit import keep_credit
from services.ops.stack.servers import Redis
from shared.broker import broker_url


@pytest.fixture
def credit_is_kept() -> Iterator[None]:
    before = transport.Channel.QoS
    keep_credit()
    yield
    transport.Channel.QoS = before


def test_a_lost_acknowledgement_gives_the_credit_back(
    own_redis: Redis, credit_is_kept: None
) -> None:
    with Connection(broker_url(own_redis.url)) as connection:
        channel: Any = connection.channel()
        channel.basic_qos(0, 1, False)
        queue = Queue("q")(channel)
        queue.declare()
        connection.Producer(channel).publish({}, routing_key="q", exchange="")
        message = queue.get()
        assert message is not None
        assert not channel.qos.can_consume()
        own_redis.kill()
        with pytest.raises(connection.connection_errors):
            message.ack()
        assert channel.qos.can_consume()
        own_redis.start()
