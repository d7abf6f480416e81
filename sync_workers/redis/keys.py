"""The names of all keys in Redis, in one place.

The task's name stands in braces, so that on a Redis Cluster all keys of a task lie in one slot and one
script can check the lease and write the state.
"""

from __future__ import annotations

from dataclasses import dataclass

from sync_workers.model import ID, Side

PARTS = ("links", "pending", "unlinked", "held", "decisions", "trails", "quarantine", "paused", "memory")
"""What a state has of single records; each is a hash, so that a run costs what changed, not what exists."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one task.

    Attributes:
        task: the task's name; `SyncTask.state_key` is `prefix`.
    """

    task: str

    @property
    def prefix(self) -> str:
        return f"sync:{{{self.task}}}"

    @property
    def lease(self) -> str:
        """Text `run:fence`, with an expiry: who may run the task now."""
        return f"{self.prefix}:lease"

    @property
    def fence(self) -> str:
        """Number of attempts so far; only ever grows."""
        return f"{self.prefix}:fence"

    @property
    def current(self) -> str:
        """Hash of the run that began last and has not ended: run, trigger, full, begun, moved, setup."""
        return f"{self.prefix}:current"

    @property
    def following(self) -> str:
        """Hash of the one run that was asked for while another worked: run, full."""
        return f"{self.prefix}:following"

    @property
    def runs(self) -> str:
        """Sorted set of the last run ids by when they began."""
        return f"{self.prefix}:runs"

    @property
    def reports(self) -> str:
        """Hash of the summaries of the last runs by run id; a run that stands here has ended."""
        return f"{self.prefix}:reports"

    @property
    def joined(self) -> str:
        """Hash from a run that never began or never ended to the one that did its work."""
        return f"{self.prefix}:joined"

    @property
    def counters(self) -> str:
        """Hash of numbers: ticks dropped, scheduled runs begun, runs by outcome."""
        return f"{self.prefix}:counters"

    @property
    def totals(self) -> str:
        """Hash of what all runs did, by names such as `runs|beat|done`; and when one ended last."""
        return f"{self.prefix}:totals"

    @property
    def tick(self) -> str:
        """Hash of beat's last tick: at, by, and when its message was sent."""
        return f"{self.prefix}:tick"

    @property
    def rest(self) -> str:
        """Stands there, with an expiry, as long as a service asked to be left alone."""
        return f"{self.prefix}:rest"

    @property
    def paused(self) -> str:
        """Hash of the task's pause: by, reason, since, run; there only while it is paused."""
        return f"{self.prefix}:paused"

    def of_runs(self) -> tuple[str, ...]:
        """What is known of runs, past and to come, and whether there shall be any."""
        return self.runs, self.reports, self.joined, self.counters, self.paused

    @property
    def meta(self) -> str:
        """Hash of the state's version and set-up; there is a state if and only if it is there."""
        return f"{self.prefix}:state:meta"

    def part(self, name: str) -> str:
        """Hash of one part of the state by record, as `PARTS` lists them."""
        return f"{self.prefix}:state:{name}"

    @property
    def intents(self) -> str:
        """Hash of the writes that were begun and whose end nobody saw yet, by `run:number`."""
        return f"{self.prefix}:intents"

    @property
    def history(self) -> str:
        """Stream of what all runs did."""
        return f"{self.prefix}:history"

    @property
    def plans(self) -> str:
        """Hash of what is told about refused plans, by the plan's name."""
        return f"{self.prefix}:plans"

    def plan(self, name: ID) -> str:
        """A refused plan."""
        return f"{self.prefix}:plan:{name}"

    def mirror(self, side: Side) -> str:
        """What one side's last listing was, with its cursor."""
        return f"{self.prefix}:mirror:{side.value}"

    def shown(self, side: Side) -> str:
        """Hash of what was seen of single records since the mirror was kept."""
        return f"{self.prefix}:shown:{side.value}"

    def looks(self, side: Side) -> str:
        """Hash of the ids that the next run asks for by themselves; each with a word of whoever added it."""
        return f"{self.prefix}:looks:{side.value}"

    def journal(self, run: ID) -> str:
        """Hash of a run's operations by number: the attempt that began it, `done`, or `ended` without."""
        return f"{self.prefix}:run:{run}:journal"

    def blob(self, run: ID, name: str) -> str:
        """Something large of a run: its snapshot, its plan."""
        return f"{self.prefix}:run:{run}:{name}"

    def parts(self, run: ID) -> str:
        """List of the parts of the listings that a run has read so far."""
        return f"{self.prefix}:run:{run}:parts"

    def staged(self, key: str) -> str:
        """Where a whole hash is written before it takes its place at once."""
        return f"{key}:staged"

    def webhook(self, part: str) -> str:
        """What webhook events want of the task; see `redis.waiting` for its parts."""
        return f"{self.prefix}:webhook:{part}"

    def state(self) -> tuple[str, ...]:
        """Everything that the state is made of."""
        return self.meta, *(self.part(name) for name in PARTS)


BEAT = "sync:beat"
"""Hash of the beat that ticks now: owner, name, since; with an expiry."""

PROCESSES, PROCESSES_SEEN = "sync:{processes}:told", "sync:{processes}:seen"
"""Hash of what the processes tell about themselves, and sorted set of when they did last."""

ALERTING = "sync:{alerts}:lead"
"""Hash of the monitor that sends alerts, as `BEAT`."""

INCIDENTS = "sync:{alerts}:incidents"
"""Hash of what is wrong now, by kind and whom it is about."""

OUTBOX, OUTBOX_DUE = "sync:{alerts}:outbox", "sync:{alerts}:due"
"""Hash of the messages that were not delivered yet, and sorted set of when each is tried next."""

CELERY = "sync:celery:"
"""What stands before all keys of Celery."""

QUEUES_OF = "sync"
"""The exchange of all queues."""

BOUND_QUEUES = f"{CELERY}_kombu.binding.{QUEUES_OF}"
"""Set of all queues that a message was ever sent to; kombu's own, see `bound_queue`."""

UNACKED = f"{CELERY}unacked"
"""Hash of the messages that workers have taken and not ended; kombu's own."""


def queue_key(name: str) -> str:
    """List of the messages that wait in a queue, the oldest last."""
    return CELERY + name


def bound_queue(member: bytes) -> str:
    """The name of a queue in `BOUND_QUEUES`, where kombu keeps routing key, pattern and queue."""
    return member.decode().rpartition("\x06\x16")[2]


def paused_connection(name: str) -> str:
    """Hash of a connection's pause, as `Keys.paused`; it belongs to no task, and so lies in its own slot."""
    return f"sync:connection:{{{name}}}:paused"


@dataclass(frozen=True, slots=True)
class BudgetKeys:
    """The keys of the budget; all in one slot, since pauses and writes concern several accounts.

    Attributes:
        account: whose calls count together.
    """

    account: str

    def _own(self, name: str) -> str:
        return f"sync:{{budget}}:{self.account}:{name}"

    @property
    def used(self) -> str:
        """Sorted set of the calls that count, by when their place in the window is free again."""
        return self._own("used")

    @property
    def queue(self) -> str:
        """Sorted set of the tasks that wait, by their number."""
        return self._own("queue")

    @property
    def due(self) -> str:
        """Sorted set of the same tasks, by when they lose their place."""
        return self._own("due")

    @property
    def numbers(self) -> str:
        """Hash: the last number, and how many urgent calls went before one that waits."""
        return self._own("numbers")

    @property
    def calls(self) -> str:
        """Hash of the calls that were ever made, by account."""
        return "sync:{budget}:calls"

    @property
    def pauses(self) -> str:
        """Hash of until when by account, and by group behind `group:`."""
        return "sync:{budget}:pauses"

    @property
    def groups(self) -> str:
        """Hash of the group by account; `?` where it has to be asked for."""
        return "sync:{budget}:groups"

    @property
    def writes(self) -> str:
        """Hash of the call that writes, by place; behind `next ` of the task that follows."""
        return "sync:{budget}:writes"


def webhook_of(name: str, part: str) -> str:
    """What is known about a connection's webhooks; see `redis.webhooks` for its parts."""
    return f"sync:connection:{{{name}}}:webhook:{part}"
