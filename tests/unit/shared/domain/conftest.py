"""Property tests of the domain: as many examples as usual, without a deadline to miss when busy."""

from hypothesis import settings

settings.register_profile("domain", deadline=None)
settings.load_profile("domain")
