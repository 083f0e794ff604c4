"""Holds ingest to its word: what it acknowledged is in the inbox, which is then emptied."""

from benchmarks.running.product import Product


class Stored:
    """Compares the inbox's own total with the answers of each run."""

    def __init__(self, product: Product, each: int = 1) -> None:
        self._product = product
        self._each = each
        self._accepted = product.depth().accepted

    def check(self, requests: int) -> None:
        """Each of the acknowledged requests stands for `each` submissions that the inbox has."""
        before, self._accepted = self._accepted, self._product.depth().accepted
        stored, acknowledged = self._accepted - before, requests * self._each
        assert stored == acknowledged, (stored, acknowledged)
        self._product.empty_inbox()
