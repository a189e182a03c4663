"""Settings for all tests: a busy machine is no reason for a property to fail."""

from hypothesis import HealthCheck, settings

# What fails says how to play it again: it is drawn anew in each run, and may be rare.
settings.register_profile(
    "shared-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("shared-machine")
