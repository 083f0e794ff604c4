"""How many bodies are thrown at each parser."""

import os

from hypothesis import HealthCheck, settings

FUZZ_EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "10000"))

# Each test gets the time that so many examples take; what is saved of earlier runs is tried first.
fuzzed = settings(
    max_examples=FUZZ_EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
