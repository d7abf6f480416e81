"""How much hypothesis tries: as little as finds what is broken in each build, and far more at night.

In CI always the same examples, so that a red build can be repeated.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

NIGHTLY = os.environ.get("SYNC_WORKERS_TESTS") == "nightly"
"""Set by `make nightly`."""

USUAL = not NIGHTLY and "SOAK_KILLS" not in os.environ
"""Whether the figures are those that the docs tell; `make soak` has others, too."""

UNHURRIED = pytest.mark.timeout(0 if NIGHTLY else 1800)
"""Tests of some ten seconds that nobody shall call hung on a machine that is busy with others."""

settings.register_profile("home", max_examples=150, deadline=None)
settings.register_profile("ci", max_examples=150, deadline=None, derandomize=True, database=None)


def choose() -> None:
    """Choose the profile; nightly examples are new ones each night."""
    in_ci = os.environ.get("CI") == "true" and not NIGHTLY
    settings.load_profile("ci" if in_ci else "home")


def sized(examples: int, *, nightly: int, steps: int = 50) -> settings:
    """So many examples in each build, and so many at night; `steps` for a state machine in each build."""
    return settings(
        max_examples=nightly if NIGHTLY else examples,
        stateful_step_count=50 if NIGHTLY else steps,
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
            HealthCheck.filter_too_much,
            # Fixtures that only count, or that each example starts afresh.
            HealthCheck.function_scoped_fixture,
        ],
    )
