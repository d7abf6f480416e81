from __future__ import annotations

import pytest

from tests.runs.here import Here


@pytest.fixture
def here() -> Here:
    return Here()
