"""`Report`: what one run did, in counts, names and ids, and what waits for a person."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sync_workers.model import ID, Action, Ambiguity, Conflict, Failure, Hold, Side


class Trigger(StrEnum):
    """Why a run was started.

    Attributes:
        is_urgent: a person waits for it, or has just edited something: it comes before the ticks of beat.
    """

    BEAT = "beat"
    AD_HOC = "ad-hoc"
    WEBHOOK = "webhook"
    RETRY = "retry"
    LOCAL = "local"  # in the caller's own process
    UNDO = "undo"  # a person takes back an earlier run; likewise
    APPROVAL = "approval"  # a person approved a plan that a guard had refused; likewise
    IMPORT = "import"  # a person takes a state over, also while the task is paused; likewise

    @property
    def is_urgent(self) -> bool:
        return self not in {Trigger.BEAT, Trigger.RETRY}


class Outcome(StrEnum):
    """How a run ended."""

    RUNNING = "running"
    DONE = "done"
    PARTIAL = "partial"  # some records failed; the rest is done
    DECISION = "needs a decision"  # conflicts, or values that cannot cross, are held for a person
    REFUSED = "refused"  # a guard refused the plan; nothing was changed
    FAILED = "failed"  # a listing, the set-up or the store failed
    DROPPED = "dropped"  # another run holds the lease
    PAUSED = "paused"  # the task or a connection of it is to be left alone
    FINISHED = "finished"  # the task has run as often as it should in total


SUCCESSES = frozenset({Outcome.DONE, Outcome.PARTIAL, Outcome.DECISION})
"""A run that ended so read both sides and did what could be done."""


@dataclass(slots=True)
class Report:
    """What one run did. The only value of a run that grows while it works.

    Attributes:
        counts: operations done by `side.action`, such as `other.create`, and `link`, `unlink`, `advance`.
        conflicts: all conflicts with both values, decided and held; in memory only.
        failures: records that could not be handled, with id and reason.
        ambiguous: records of both sides with one key that were left alone.
        held: records that wait on purpose.
        quarantined: records that failed in earlier runs and were not tried in this one.
        ignored: records whose counterpart is deleted, which the task's delete policy ignores.
        parted: records that lost their link, since their counterpart turned out to be out of scope.
        fresh: names of what changed in the set-up, such as `other.container`: the run compared afresh, and
            took nothing that was absent for deleted.
        drift: fields that were renamed, deleted or changed since, and what that means, a sentence each.
        remade: records whose counterpart was made again, since an edit of them beat its deletion.
        calls: calls made to each side's service.
        seconds: time spent by phase.
        reason: why the run did not end as done, without field values.
        wait: how long a service asked to be left alone, when that outlasts the run.
        listed: whether both sides were read.
        blocked: why no run can work until a person has given or renewed access, or put the set-up right;
            pauses the task.
        resumed: whether this run showed that a task works again that a failure had paused.
    """

    task: str
    run: str = ""
    trigger: Trigger = Trigger.LOCAL
    outcome: Outcome = Outcome.RUNNING
    started: datetime | None = None
    finished: datetime | None = None
    planned: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    ambiguous: list[Ambiguity] = field(default_factory=list)
    held: list[Hold] = field(default_factory=list)
    quarantined: list[Hold] = field(default_factory=list)
    remade: list[ID] = field(default_factory=list)
    calls: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    reason: str = ""
    wait: timedelta = timedelta(0)
    listed: bool = False
    blocked: str = ""
    resumed: bool = False
    ignored: list[Hold] = field(default_factory=list)
    parted: list[Hold] = field(default_factory=list)
    fresh: list[str] = field(default_factory=list)
    drift: list[str] = field(default_factory=list)

    def count(self, side: Side, action: Action) -> None:
        """Count one operation that was done."""
        name = f"{side}.{action}" if action.writes else str(action)
        self.counts[name] = self.counts.get(name, 0) + 1

    def count_call(self, side: Side) -> None:
        """Count one call to a side's service."""
        self.calls[side.value] = self.calls.get(side.value, 0) + 1

    @property
    def held_conflicts(self) -> list[Conflict]:
        """The conflicts that wait for a person."""
        return [conflict for conflict in self.conflicts if conflict.held]

    @property
    def asking(self) -> list[Hold]:
        """What waits until a person does something, such as a value that a value map does not know."""
        return [hold for hold in self.held if hold.asks]

    @property
    def ties(self) -> int:
        """Conflicts whose order in time could not be told, so that the task's tie rule decided."""
        return sum(conflict.tie for conflict in self.conflicts)

    @property
    def writes(self) -> int:
        """Writes done on both sides."""
        return sum(number for name, number in self.counts.items() if "." in name)

    def settle(self) -> Outcome:
        """Choose the outcome of a run that came to its end."""
        if self.held_conflicts or self.asking:
            self.outcome = Outcome.DECISION
        elif self.failures or self.quarantined:
            self.outcome = Outcome.PARTIAL
        else:
            self.outcome = Outcome.DONE
        return self.outcome

    def totals(self) -> dict[str, float]:
        """What this run adds to the numbers of its task: names with their labels behind `|`."""
        found: Counter[str] = Counter({f"runs|{self.trigger}|{self.outcome}": 1})
        for phase, spent in self.seconds.items():
            found[f"phases|{phase}"] += 1
            found[f"phase_seconds|{phase}"] += round(spent, 3)  # type: ignore[assignment] # seconds are floats
        for name, number in self.counts.items():
            side, _, action = name.rpartition(".")
            found[f"operations|{side}|{action}|done"] += number
        for failure in self.failures:
            outcome = "unknown" if failure.unknown else "failed"
            found[f"operations|{failure.side}|{failure.action}|{outcome}"] += 1
        for conflict in self.conflicts:
            found[f"conflicts|{'held' if conflict.held else 'decided'}"] += 1
        found["held|"] += len(self.held)
        for side, number in self.calls.items():
            found[f"calls|{side}"] += number
        return {name: number for name, number in found.items() if number}

    def summary(self) -> dict[str, Any]:
        """Names, ids and counts in terms of JSON: what may appear in results, Flower and logs."""
        return {  # what is read first stands first: lists cut the rest off
            "outcome": self.outcome.value,
            "counts": dict(self.counts),
            "planned": self.planned,
            "conflicts": len(self.conflicts),
            "held_conflicts": len(self.held_conflicts),
            "ties": self.ties,
            "failures": [
                {"side": f.side.value, "id": f.record_id, "action": f.action, "reason": f.reason}
                for f in self.failures[:MOST_FAILURES]
            ],
            "failed": len(self.failures),
            "ambiguous": len(self.ambiguous),
            "held": len(self.held),
            "asking": len(self.asking),
            "quarantined": len(self.quarantined),
            "ignored": len(self.ignored),
            "parted": len(self.parted),
            "fresh": list(self.fresh),
            "drift": self.drift[:MOST_FAILURES],
            "remade": self.remade[:MOST_FAILURES],
            "calls": dict(self.calls),
            "seconds": {phase: round(spent, 3) for phase, spent in self.seconds.items()},
            "reason": self.reason,
            "resumed": self.resumed,
            "task": self.task,
            "run": self.run,
            "trigger": self.trigger.value,
            "started": self.started.isoformat() if self.started else None,
            "finished": self.finished.isoformat() if self.finished else None,
        }


MOST_FAILURES = 100
"""How many failures and remade records a summary lists."""
