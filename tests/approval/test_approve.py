"""`approve`: exactly the kept plan and nothing else, if it still holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from sync_workers.approval import approve
from sync_workers.engine.rules import DeletePolicy
from sync_workers.errors import ConflictError, DecisionError, GuardError, MovedError, StateError
from sync_workers.local import run_here
from sync_workers.model import Action, ConflictMode, Pair, Part, Side
from sync_workers.redis.connect import Client
from sync_workers.redis.keys import Keys
from sync_workers.redis.lease import Lease
from sync_workers.redis.plans_store import PlansStore
from sync_workers.redis.runs_store import RunsStore
from sync_workers.remarks import Quarantined
from sync_workers.report import Outcome, Trigger
from sync_workers.runs.apply import Application
from sync_workers.runs.quarantine import content, key_of
from sync_workers.state import Change
from tests.approval.stage import GUARDED, START, MemoryTask, Stage
from tests.runs.here import RULES
from tests.task_as_original import AsOriginal
from tests.task_worlds import Todo, world


def test_an_approved_plan_is_carried_out_exactly_and_kept_no_longer(stage: Stage) -> None:
    refusal = stage.situation()
    assert stage.shown(Side.OTHER).total() == 5, "nothing was changed"

    report = stage.approve(refusal)

    assert report.outcome is Outcome.DONE
    assert report.counts == refusal.counts == {"other.delete": 3, "other.update": 1, "other.create": 1}
    assert report.planned == 5
    assert stage.shown(Side.NOTION) == stage.shown(Side.OTHER)
    assert stage.plans.kept() == []
    assert stage.is_quiet()


def test_what_changed_besides_is_left_alone_and_crosses_with_the_next_run(stage: Stage) -> None:
    refusal = stage.situation()
    stage.edit(Side.OTHER, stage.salt.other, text="edited since")
    stage.add(Side.OTHER, title="Wine")
    stage.add(Side.NOTION, title="Yeast")
    before = dict(stage.state.other_objs[stage.salt.other])

    report = stage.approve(refusal)

    assert report.counts == refusal.counts
    assert report.planned == 5
    assert stage.task.containers.notion.records[stage.salt.notion].fields["Text"] == "as it was"
    assert stage.state.other_objs[stage.salt.other] == before
    titles = Pair.each(lambda side: {content[0] for content in stage.shown(side)})
    assert titles == Pair({"Rice", "Salt", "Tea", "Yeast"}, {"Rice", "Salt", "Tea", "Wine"})
    assert stage.run().counts == {"notion.update": 1, "notion.create": 1, "other.create": 1}
    assert stage.is_quiet()


def test_a_deletion_besides_is_not_passed_on_either(stage: Stage) -> None:
    refusal = stage.situation()
    stage.remove(Side.NOTION, stage.salt.notion)
    assert stage.approve(refusal).counts == refusal.counts
    assert stage.salt.other in stage.task.containers.other.records


def test_records_that_only_have_another_version_are_still_the_same(stage: Stage) -> None:
    refusal = stage.situation()
    for ids in (stage.bread, stage.rice):
        stage.edit(Side.OTHER, ids.other)
    stage.edit(Side.NOTION, stage.rice.notion)
    assert stage.approve(refusal).outcome is Outcome.DONE
    assert stage.shown(Side.NOTION) == stage.shown(Side.OTHER)


def test_the_report_tells_of_the_plan_only(stage: Stage) -> None:
    refusal = stage.situation()
    # Given: a conflict, two pairs that nobody can tell apart, and a record that waits; not in the plan.
    stage.edit(Side.NOTION, stage.salt.notion, text="this")
    stage.edit(Side.OTHER, stage.salt.other, text="that")
    for side in Side:
        stage.add(side, title="twin", text="one")
        stage.add(side, title="twin", text="two" if side is Side.NOTION else "three")

    report = stage.approve(refusal)

    assert (report.conflicts, report.ambiguous, report.held) == ([], [], [])
    assert report.outcome is Outcome.DONE
    stored = RunsStore(stage.client, stage.task.name).report(report.run)
    assert stored is not None
    assert (stored["trigger"], stored["outcome"]) == ("approval", "done")
    assert (stored["conflicts"], stored["ambiguous"], stored["held"]) == (0, 0, 0)
    assert stage.run().summary()["conflicts"] == 1


def test_the_report_tells_of_no_deletion_that_is_ignored_elsewhere(stage: Stage) -> None:
    policies = Pair(notion=DeletePolicy.IGNORE, other=DeletePolicy.PROPAGATE)
    stage.task.sync_rules = replace(GUARDED, delete=policies)
    refusal = stage.situation()
    stage.remove(Side.OTHER, stage.salt.other)
    report = stage.approve(refusal)
    assert (report.counts, report.ignored) == (refusal.counts, [])
    assert [hold.record_id for hold in stage.run().ignored] == [stage.salt.notion]


def test_a_conflict_that_is_held_elsewhere_does_not_make_an_approval_less_than_done(stage: Stage) -> None:
    stage.task.sync_rules = replace(GUARDED, mode=ConflictMode.ERROR)
    refusal = stage.situation()
    stage.edit(Side.NOTION, stage.salt.notion, text="this")
    stage.edit(Side.OTHER, stage.salt.other, text="that")
    assert stage.approve(refusal).outcome is Outcome.DONE
    with pytest.raises(ConflictError):
        stage.run()


def test_what_a_person_approves_waits_in_no_quarantine(stage: Stage) -> None:
    refusal = stage.situation()
    refused = stage.plans.load(refusal.id)
    assert refused is not None
    (update,) = [operation for operation in refused.plan if operation.action is Action.UPDATE]
    waits = Quarantined(
        reason="odd", action="update", since=START, due=START.replace(year=2100), content=content(update)
    )
    stage.store(Change(quarantine={key_of(update): waits}))
    assert stage.approve(refusal).counts == refusal.counts
    assert not any(stage.state.quarantine.values())


def test_r2_a_create_that_gives_back_what_was_there_does_not_hide_how_that_differs(stage: Stage) -> None:
    """A state was lost, and a person renamed and edited the copy; it comes to sight after the refusal."""
    (bread,) = stage.link("Bread")
    stage.client.ask("DEL", *Keys(stage.task.name).state())
    stage.edit(Side.OTHER, bread.other, title="Rye", note="a person's")
    records = stage.task.containers.other.records
    hidden = records.pop(bread.other)
    refusal = stage.kept()
    assert refusal.counts == {"other.create": 1}
    records[bread.other] = hidden

    stage.approve(refusal)

    report = stage.run()
    assert {content[0] for side in Side for content in stage.shown(side)} == {"Bread"}
    assert [one.attrs.notion for one in report.conflicts] == ["Name"]
    assert stage.shown(Side.NOTION) == stage.shown(Side.OTHER) == {("Bread", "as it was", "a person's"): 1}


def test_the_report_tells_what_became_of_the_plan(stage: Stage) -> None:
    refusal = stage.situation()
    archive = stage.task.containers.notion.archived

    class Archives(StopsHalfway):
        def carry_out(self, application: Application) -> None:
            # When: a record that was absent turns out to be in the archive, and another is edited.
            archive[stage.bread.notion] = next(iter(self.containers.notion.records.values()))
            stage.edit(Side.OTHER, stage.rice.other, note="edited")
            self.has_raised = True
            super().carry_out(application)

    stage.task = Archives(stage.task.name, stage.task.containers)
    report = stage.approve(refusal)
    assert report.counts == {"other.delete": 2, "other.create": 1}
    assert {hold.record_id for hold in report.held} == {stage.bread.notion, stage.rice.notion}
    assert {stage.bread.other, stage.rice.other} <= stage.task.containers.other.records.keys()


def came_back(stage: Stage) -> None:
    container = stage.task.containers.notion
    shown = stage.task.containers.other.records[stage.milk.other].fields
    fields = {"Name": shown["title"], "Text": shown["text"], "Note": shown["note"]}
    container.put(replace(next(iter(container.records.values())), id=stage.milk.notion, fields=fields))


def other_fields(stage: Stage) -> None:
    stage.task.sync_rules = replace(stage.task.sync_rules, fields=RULES.fields[:2])


def another_container(stage: Stage) -> None:
    old = stage.task.containers.other
    stage.task.containers = Pair(stage.task.containers.notion, replace(old, name="another"))


def state_lost(stage: Stage) -> None:
    keys = Keys(stage.task.name)
    stage.client.ask("DEL", *keys.state())


CHANGES: dict[str, Callable[[Stage], object]] = {
    "the target of a deletion was edited": lambda s: s.edit(Side.OTHER, s.bread.other, text="PLANTED"),
    "the target of an update was edited": lambda s: s.edit(Side.OTHER, s.rice.other, note="PLANTED"),
    "the source of an update was edited again": lambda s: s.edit(Side.NOTION, s.rice.notion, text="PLANTED"),
    "the source of a create was edited": lambda s: s.edit(Side.NOTION, s.new, text="PLANTED"),
    "the target of an update is gone": lambda s: s.remove(Side.OTHER, s.rice.other),
    "the source of a create is gone": lambda s: s.remove(Side.NOTION, s.new),
    "the target of a deletion is gone": lambda s: s.remove(Side.OTHER, s.bread.other),
    "what was gone came back": came_back,
    "the counterpart of what is new was added": lambda s: s.add(Side.OTHER, title="Tea"),
    "the field map changed": other_fields,
    "another container": another_container,
    "another credential": lambda s: setattr(s.task, "credential", "two"),
    "the state was lost": state_lost,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_plan_that_does_not_hold_any_more_changes_nothing_at_all(
    stage: Stage, change: Callable[[Stage], object]
) -> None:
    refusal = stage.situation()
    change(stage)
    before, state = [stage.shown(side) for side in Side], stage.state

    with pytest.raises(MovedError, match="does not hold any more, so nothing was done") as moved:
        stage.approve(refusal)

    assert [stage.shown(side) for side in Side] == before
    assert stage.state == state
    assert [one.id for one in stage.plans.kept()] == [refusal.id]
    assert stage.task.report.outcome is Outcome.REFUSED
    said = str(moved.value)
    assert f"sync-workers discard {refusal.id}" in said
    assert f"sync-workers run {stage.task.name}" in said
    assert not any(value in said for value in ("PLANTED", "as it was", "Tea"))


def test_what_does_not_hold_is_counted_and_the_first_are_named(stage: Stage) -> None:
    refusal = stage.situation()
    for ids in (stage.bread, stage.milk, stage.oats, stage.rice):
        stage.edit(Side.OTHER, ids.other, text="PLANTED")
    with pytest.raises(MovedError, match=r"4 of its 5 operation\(s\).* and 1 more") as moved:
        stage.approve(refusal)
    assert stage.bread.notion in str(moved.value)


def test_ids_that_were_listed_twice_can_never_be_approved(stage: Stage) -> None:
    refusal = stage.situation()
    stage.task.twice.add(stage.salt.other)
    with pytest.raises(GuardError, match="twice"):
        stage.approve(refusal)
    assert stage.shown(Side.OTHER).total() == 5
    assert [one.id for one in stage.plans.kept()] == [refusal.id]

    # A plan that was made from such a listing is not even kept.
    stage.add(Side.NOTION, title="Wine")
    with pytest.raises(GuardError, match="twice") as refused:
        stage.run()
    assert refused.value.kept is None
    assert "approve" not in str(refused.value)
    assert [one.id for one in stage.plans.kept()] == [refusal.id]


def test_the_error_of_a_refused_run_names_the_plan_and_the_next_step(stage: Stage) -> None:
    refusal = stage.situation()
    assert stage.task.report.outcome is Outcome.REFUSED
    for command in ("show", "approve", "discard"):
        assert f"`sync-workers {command} {refusal.id}`" in stage.task.report.reason


def test_the_same_plan_refused_again_is_one_plan(stage: Stage) -> None:
    first = stage.situation()
    stage.edit(Side.NOTION, stage.salt.notion)  # only its version and time are others
    again = stage.refused()
    assert again.id == first.id
    assert (again.times, again.first) == (2, first.first)
    assert again.last > first.last
    assert again.run != first.run
    stage.edit(Side.NOTION, stage.salt.notion, text="edited")
    assert stage.refused().id != first.id
    assert len(stage.plans.kept()) == 2


def test_nothing_is_done_while_another_run_works(stage: Stage) -> None:
    refusal = stage.situation()
    lease = Lease(stage.client, stage.task.name, "another")
    lease.take(Trigger.BEAT, first=True)
    report = stage.approve(refusal)
    assert report.outcome is Outcome.DROPPED
    assert "another run works on this task (run another)" in report.reason
    assert RunsStore(stage.client, stage.task.name).following() is None
    assert stage.shown(Side.OTHER).total() == 5


def test_a_plan_that_was_discarded_meanwhile_is_not_carried_out(stage: Stage) -> None:
    refusal = stage.situation()
    stage.plans.discard(refusal.id)
    with pytest.raises(StateError, match="not kept any more"):
        stage.approve(refusal)
    assert stage.shown(Side.OTHER).total() == 5


class StopsHalfway(MemoryTask):
    """Its carrying out raises once, after the deletions."""

    has_raised: bool = False

    def carry_out(self, application: Application) -> None:
        for part in Part:
            if part is Part.CHANGED and not self.has_raised:
                self.has_raised = True
                raise ZeroDivisionError
            application.run(part)


def test_an_approval_that_failed_halfway_goes_on_when_it_is_asked_for_again(
    redis_client: Client, task_name: str
) -> None:
    stage = Stage(redis_client, MemoryTask(task_name))
    refusal = stage.situation()
    stage.task = StopsHalfway(task_name, stage.task.containers)
    with pytest.raises(ZeroDivisionError):
        stage.approve(refusal)
    assert stage.task.report.outcome is Outcome.FAILED
    (left,) = stage.plans.kept()
    assert left.approved_by == stage.task.report.run

    assert stage.approve(left).counts == {"other.update": 1, "other.create": 1}

    assert stage.plans.kept() == []
    assert stage.is_quiet()


# --- tasks by class ---


def lost(kind: type[Todo], client: Client, name: str) -> Todo:
    """A task whose last run was refused, since one side lost all it had."""
    here = world()
    for title in ("a", "b"):
        here.notion.add(Title=title, Done=False, Note="")
        here.other.add(title=title, done=False, note="")
    task = kind(here.notion, here.other, name=name)
    run_here(task, client)
    here.notion.things.clear()
    with pytest.raises(GuardError, match="sync-workers approve"):
        run_here(task, client)
    here.other.add(title="c", done=False, note="")
    return task


def test_a_class_task_is_held_to_the_plan(redis_client: Client, task_name: str) -> None:
    task = lost(Todo, redis_client, task_name)
    (refusal,) = PlansStore(redis_client, task_name).kept()
    assert approve(task, redis_client, refusal).counts == {"other.delete": 2}
    assert task.other_server.rows("title") == [("c",)]
    assert task.notion_server.things == {}


def test_a_class_task_with_steps_of_its_own_cannot_be_held_to_a_plan(
    redis_client: Client, task_name: str
) -> None:
    task = lost(AsOriginal, redis_client, task_name)
    (refusal,) = PlansStore(redis_client, task_name).kept()
    with pytest.raises(DecisionError, match=f"sync-workers run {task_name} --accept-guards"):
        approve(task, redis_client, refusal)
    assert len(task.other_server.things) == 3
