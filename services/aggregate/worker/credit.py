"""Keeps a worker consuming when Redis goes away at the moment of an acknowledgement.

kombu 5.7.0 gives back a message's prefetch credit only after Redis has taken the acknowledgement
(`kombu/transport/redis.py`, `QoS.ack`). When the connection breaks just then, the error is logged
("Couldn't ack") and the credit is lost. A worker that takes one message at a time has no other: it
waits for ever, connected and silent.
"""

from kombu.transport import redis as transport
from kombu.transport import virtual


class ForgivingQoS(transport.QoS):
    """Gives the credit back in any case.

    The message comes again after the visibility timeout, which is harmless.
    """

    def ack(self, delivery_tag: str) -> None:
        """Acknowledge a message."""
        try:
            super().ack(delivery_tag)
        finally:
            virtual.QoS.ack(self, delivery_tag)  # once more changes nothing

    # The signature is kombu's.
    def reject(self, delivery_tag: str, requeue: bool = False) -> None:  # noqa: FBT001, FBT002
        """Give a message up, or back."""
        try:
            super().reject(delivery_tag, requeue=requeue)
        finally:
            virtual.QoS.ack(self, delivery_tag)


def keep_credit() -> None:
    """Have every Redis channel of this process give credit back in any case."""
    transport.Channel.QoS = ForgivingQoS
