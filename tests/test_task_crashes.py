"""Every write of a busy sync, stopped right before it, right after it, and after it with the reply lost."""

from __future__ import annotations

import itertools
from contextlib import suppress
from typing import Any

import pytest

from sync_workers import Side, State
from tests.task_worlds import Objects, Server, Thing, Todo, World, busy, world


class Died(BaseException):
    """The process died here."""


class LostError(Exception):
    """The reply did not arrive."""


class Breaking(Todo):
    """Counts its writes, and breaks at one of them."""

    at = 0
    done = 0
    before: type[BaseException] | None = None
    after: type[BaseException] | None = None

    def broken(self, write: Any, *args: Any) -> Any:
        self.done += 1
        if self.done == self.at and self.before is not None:
            raise self.before
        result = write(*args)
        if self.done == self.at and self.after is not None:
            raise self.after
        return result

    def notion_update_obj(self, obj: Thing, attr: str, value: Any) -> None:
        self.broken(super().notion_update_obj, obj, attr, value)

    def other_update_obj(self, obj: Thing, attr: str, value: Any) -> None:
        self.broken(super().other_update_obj, obj, attr, value)

    def notion_delete_obj(self, obj: Thing) -> None:
        self.broken(super().notion_delete_obj, obj)

    def other_delete_obj(self, obj: Thing) -> None:
        self.broken(super().other_delete_obj, obj)

    def notion_create_obj(self, **kwargs: Any) -> Any:
        return self.broken(self.notion_server.create, kwargs)

    def other_create_obj(self, **kwargs: Any) -> Any:
        return self.broken(self.other_server.create, kwargs)


WAYS = [(Died, None), (None, Died), (LostError, None), (None, LostError)]


def very_busy(kinds: tuple[Objects, Objects]) -> tuple[World, State]:
    here = world(*kinds)
    _, state = busy(here)
    here.notion.edit("n1", Done=True)
    here.other.edit("o1", note="another")  # a conflict beside an edit
    here.notion.add(Title="twin", Done=False, Note="")
    here.notion.add(Title="twin", Done=False, Note="")
    return here, state


@pytest.mark.parametrize("kinds", list(itertools.product(Objects, Objects)), ids="-".join)
@pytest.mark.parametrize(("before", "after"), WAYS)
def test_no_stop_loses_an_edit_or_makes_a_duplicate(
    kinds: tuple[Objects, Objects],
    before: type[BaseException] | None,
    after: type[BaseException] | None,
) -> None:
    here, state = very_busy(kinds)
    whole = here.task(Breaking)
    whole.sync(state)
    expected = here.notion.rows("Title", "Done", "Note")
    assert here.sides_agree()
    assert whole.done >= 8

    for number in range(1, whole.done + 1):
        here, state = very_busy(kinds)
        broken = here.task(Breaking)
        broken.at, broken.before, broken.after = number, before, after
        with suppress(Died):  # then nobody has the new state
            state = broken.sync(state)
        task = here.task()
        state = task.sync(state)
        assert here.sides_agree(), number
        assert here.notion.rows("Title", "Done", "Note") == expected, number
        here.assert_quiet(task, state)


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("hook", ["id", "to_dict", "timestamp"])
def test_a_record_that_cannot_be_read_yet_gets_no_copy_of_its_counterpart(side: Side, hook: str) -> None:
    here = world()
    here.notion.add(Title="bad", Done=False, Note="")
    here.other.add(title="bad", done=False, note="")
    server: Server = here.notion if side is Side.NOTION else here.other
    server.faults[hook, "bad"] = OSError()
    task = here.task()

    here.notion.add(Title="new on notion", Done=False, Note="")
    here.other.add(title="new on other", done=False, note="")
    state = task.sync(None)
    assert len(task.report.failures) == len(task.report.held) == 1
    assert len(state.ids) == 2
    server.faults.clear()
    state = task.sync(state)

    assert len(here.notion.things) == len(here.other.things) == 3
    here.assert_quiet(task, state)
