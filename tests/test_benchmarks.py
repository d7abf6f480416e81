from __future__ import annotations

import pytest

from benchmarks.__main__ import (
    LINEAR,
    ORIGINAL,
    STEEPEST,
    Cost,
    broken_promises,
    growth_per_doubling,
    measure,
    wasted,
)
from benchmarks.contention import Contention


@pytest.mark.parametrize("name", [*LINEAR, ORIGINAL])
def test_every_measurement_does_what_it_is_called(name: str) -> None:
    cost = measure(name, 50, times=2)

    assert 0 < cost.seconds < 60
    assert 10 < cost.megabytes < 500


def test_too_slow_and_too_large_are_told() -> None:
    assert broken_promises(Cost(1.0, 300)) == []
    assert len(broken_promises(Cost(1.1, 290))) == 1
    assert len(broken_promises(Cost(1.1, 301))) == 2


def test_quadratic_growth_is_told_from_linear() -> None:
    assert growth_per_doubling([Cost(size, 0) for size in (1, 2, 4, 8)]) == pytest.approx(2)
    assert growth_per_doubling([Cost(size**2, 0) for size in (1, 2, 4, 8)]) > STEEPEST


def test_calls_that_are_wasted_refused_or_taken_by_one_process_are_told() -> None:
    assert wasted(Contention(0, 0.98, (10, 12), 4)) == []
    assert len(wasted(Contention(0, 0.96, (10, 12), 4))) == 1
    assert len(wasted(Contention(3, 0.96, (10, 30), 4))) == 3
