"""`make bench`: print what a sync costs, and end with 1 when it is more than was promised."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from benchmarks.contention import Contention, contend

PROMISED_SIZE, PROMISED_SECONDS, PROMISED_MEGABYTES = 100_000, 1.0, 300.0
"""A comparison of so many linked records of which none changed takes at most this, on one core."""

PROMISED_SHARE, UNFAIR = 0.97, 2
"""Of the calls that Notion allows so many are used, and no process makes so many times as many as another."""

STEEPEST = 2.8
"""By how much twice the records may cost more: 2 is linear, 4 quadratic, and machines are noisy."""

OURS, ORIGINAL = "whole_sync", "original"
BOTH_SIZES = (1_000, 2_000, 4_000, 8_000, 16_000)
LINEAR = {
    "comparison": (10_000, 20_000, 40_000, 80_000),
    "mirror": (12_500, 25_000, 50_000, 100_000),
    "whole_sync": (10_000, 20_000, 40_000, 80_000),
    "matching": (5_000, 10_000, 20_000, 40_000),
    "first_sync": (5_000, 10_000, 20_000),
}
TITLES = {
    "comparison": "comparison of linked records, none changed",
    "mirror": "reading what a side showed last",
    "whole_sync": "sync() of linked records, none changed",
    "matching": "first sync() that links all by key",
    "first_sync": "first sync() that creates all",
}


@dataclass(frozen=True, slots=True)
class Cost:
    seconds: float
    megabytes: float


def measure(name: str, size: int, times: int = 3) -> Cost:
    """The best of several times, and the most memory of the whole process with all records in it."""
    command = [sys.executable, "-m", "benchmarks.measure", name, str(size), str(times)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own module
    return Cost(**json.loads(done.stdout))


def promised(console: Console) -> list[str]:
    """What was promised, and what it is."""
    table = Table(
        "", "CPU seconds", "at most", "MB", "at most", title=f"{PROMISED_SIZE:,} records of 6 fields"
    )
    cost, whole = measure("comparison", PROMISED_SIZE), measure("whole_sync", PROMISED_SIZE)
    limits = f"{PROMISED_SECONDS:g}", f"{PROMISED_MEGABYTES:g}"
    table.add_row(TITLES["comparison"], f"{cost.seconds:.2f}", limits[0], f"{cost.megabytes:.0f}", limits[1])
    table.add_row(TITLES["whole_sync"], f"{whole.seconds:.2f}", "", f"{whole.megabytes:.0f}", "")
    console.print(table)
    return broken_promises(cost)


def broken_promises(cost: Cost) -> list[str]:
    """A sentence for each limit that a comparison of the promised size does not keep."""
    broken = []
    if cost.seconds > PROMISED_SECONDS:
        broken.append(f"the comparison took {cost.seconds:.2f} s, more than {PROMISED_SECONDS:g} s")
    if cost.megabytes > PROMISED_MEGABYTES:
        broken.append(f"the comparison took {cost.megabytes:.0f} MB, more than {PROMISED_MEGABYTES:g} MB")
    return broken


def beside_the_original(console: Console) -> None:
    """The same records and hooks with the class that the interface comes from."""
    table = Table(
        "records", "ours, s", "growth", "original, s", "growth", "original / ours",
        title="sync() beside ultimate-notion 0.10.1",
    )  # fmt: skip
    before: tuple[Cost, Cost] | None = None
    for size in BOTH_SIZES:
        ours, theirs = measure(OURS, size), measure(ORIGINAL, size, times=1)
        growth = _growth(ours, before and before[0]), _growth(theirs, before and before[1])
        ratio = f"{theirs.seconds / ours.seconds:.1f}"
        table.add_row(
            f"{size:,}", f"{ours.seconds:.3f}", growth[0], f"{theirs.seconds:.3f}", growth[1], ratio
        )
        before = ours, theirs
    console.print(table)


def linearity(console: Console) -> list[str]:
    """How the cost grows with the records."""
    table = Table("", "records", "CPU seconds", "growth", "MB", title="growth with twice the records")
    broken = []
    for name, sizes in LINEAR.items():
        costs = [measure(name, size) for size in sizes]
        for number, (size, cost) in enumerate(zip(sizes, costs, strict=True)):
            growth = _growth(cost, costs[number - 1] if number else None)
            title = "" if number else TITLES[name]
            table.add_row(title, f"{size:,}", f"{cost.seconds:.3f}", growth, f"{cost.megabytes:.0f}")
        mean = growth_per_doubling(costs)
        if mean > STEEPEST:
            broken.append(f"{TITLES[name]}: twice the records cost {mean:.1f} times as much")
    console.print(table)
    return broken


def growth_per_doubling(costs: Sequence[Cost]) -> float:
    """The mean factor by which the time grows from each size to the next, which is twice as large."""
    factor: float = (costs[-1].seconds / costs[0].seconds) ** (1 / (len(costs) - 1))
    return factor


def _growth(cost: Cost, before: Cost | None) -> str:
    return "" if before is None else f"x {cost.seconds / before.seconds:.1f}"


def budget(console: Console) -> list[str]:
    """What many workers with one token make of the calls that Notion allows."""
    found = contend(processes=8, windows=6, limit=180, window=6)
    table = Table(
        "calls", "used of what is allowed", "429", "least and most lucky process", "Redis commands a call",
        title="8 processes, one token, 180 calls in any 6 s",
    )  # fmt: skip
    least, most = min(found.by_process), max(found.by_process)
    cells = (sum(found.by_process), f"{found.used_share:.1%}", found.refused, f"{least}, {most}")
    table.add_row(*(str(cell) for cell in cells), f"{found.commands:.0f}")
    console.print(table)
    return wasted(found)


def wasted(found: Contention) -> list[str]:
    """A sentence for each thing that was promised of a budget and not kept."""
    broken = []
    if found.used_share < PROMISED_SHARE:
        broken.append(f"{found.used_share:.1%} of the calls were used, less than {PROMISED_SHARE:.0%}")
    if found.refused:
        broken.append(f"Notion refused {found.refused} call(s)")
    if max(found.by_process) > UNFAIR * min(found.by_process):
        broken.append(f"the processes made from {min(found.by_process)} to {max(found.by_process)} calls")
    return broken


def main() -> int:
    console = Console(width=110)
    broken = promised(console)
    beside_the_original(console)
    broken += linearity(console)
    broken += budget(console)
    for sentence in broken:
        console.print(f"[red]{sentence}[/red]")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
