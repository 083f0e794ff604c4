"""Holds ingest to its word: every acknowledged submission is in the inbox; then empties it for the next run."""

from benchmarks.load.closed_loop import Outcome
from benchmarks.running.product import Product


class Stored:
    """Compares the inbox's own total with the answers of each load."""

    def __init__(self, product: Product, each: int = 1) -> None:
        self._product = product
        self._each = each
        self._accepted = product.depth().accepted

    def check(self, outcome: Outcome) -> None:
        """Each 202 stands for `each` submissions that the inbox has."""
        accepted = self._product.depth().accepted
        acknowledged = len(outcome.latencies) * self._each
        assert accepted - self._accepted == acknowledged, (accepted - self._accepted, acknowledged)
        self._accepted = accepted
        self._product.empty_inbox()
