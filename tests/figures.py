"""The figures of `docs/promises.md`: what the tests count is printed, and the page has to say the same.

A test takes the fixture `figures` and counts in it. Each figure is counted by one test alone, so that a part
of the tests can be run, too. A part of conftest.py: its hooks are imported there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sizes import USUAL

PAGE = Path(__file__).parents[1] / "docs" / "promises.md"
Figures = Counter[str]

MOST = 25
"""What hypothesis makes up differs a lot from one day to the next outside CI."""

COUNTED = pytest.StashKey[Figures]()
PASSED = pytest.StashKey[bool]()


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Iterator[Figures]:
    """What this test counts; the page has to say the same."""
    counted: Figures = Counter()
    yield counted
    request.config.stash.setdefault(COUNTED, Counter()).update(counted)
    if request.node.stash.get(PASSED, False) and USUAL:
        assert differences(counted, PAGE.read_text(encoding="utf-8")) == []


def differences(counted: Figures, page: str) -> list[str]:
    """Figures of which the page says something else.

    It says how many there are or, where that depends on what hypothesis makes up, more than how many.
    """
    said = on_page(page)
    found = []
    for name, number in counted.items():
        floor, figure = said.get(name, (False, 0))
        fits = figure < number <= MOST * figure if floor else number == figure
        if not fits:
            found.append(f"{name}: {number:,} counted, but the page says {'more than ' * floor}{figure:,}")
    return found


def on_page(page: str) -> dict[str, tuple[bool, int]]:
    """Per figure whether it is a floor, and the number."""
    rows = re.findall(r"^\| ([^|]+) \| (more than )?([\d,]+) \|$", page, re.MULTILINE)
    return {name: (bool(floor), int(number.replace(",", ""))) for name, floor, number in rows}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if call.when == "call":
        item.stash[PASSED] = report.passed
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of pytest-xdist hands its figures to the process that started it."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        counted: Figures = session.config.stash.get(COUNTED, Counter())
        output["figures"] = dict(counted)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    counted = getattr(node, "workeroutput", {}).get("figures", {})
    node.config.stash.setdefault(COUNTED, Counter()).update(counted)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if counted := config.stash.get(COUNTED, None):
        terminalreporter.section("figures (docs/promises.md)")
        for name, number in sorted(counted.items()):
            terminalreporter.write_line(f"{number:>9,}  {name}")
