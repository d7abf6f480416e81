"""How many examples hypothesis tries; in CI always the same ones, so that a red build can be repeated."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("home", max_examples=150, deadline=None)
settings.register_profile("ci", max_examples=150, deadline=None, derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "home")
