"""Property tests of the domain: as many examples as usual, but no deadline, which a busy machine would miss."""

from hypothesis import settings

settings.register_profile("domain", deadline=None)
settings.load_profile("domain")
