"""Random histories of one task; `make nightly` tries 2,000 of 50 steps."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from hypothesis.stateful import run_state_machine_as_test

from tests.figures import Figures
from tests.runs.histories import Histories
from tests.sizes import UNHURRIED, sized

pytestmark = UNHURRIED


@pytest.fixture(autouse=True)
def quiet_log() -> Iterator[None]:
    """Thousands of runs fail here on purpose."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_whatever_happens_nothing_is_lost_doubled_or_deleted_by_accident(figures: Figures) -> None:
    class Counted(Histories):
        pass

    Counted.figures = figures
    run_state_machine_as_test(Counted, settings=sized(300, nightly=2000, steps=40))
