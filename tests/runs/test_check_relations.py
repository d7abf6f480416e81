"""What `check` says of fields that name other records."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from sync_workers.engine.rules import FieldRule, Rules
from sync_workers.fields import Field, Kind
from sync_workers.model import Pair
from sync_workers.runs.check import judge
from sync_workers.runs.check_relations import Target
from sync_workers.services.base import Capabilities

HERE = "source-of-tasks"
PROJECT = Field("Project", Kind.REFERENCES, points_to="source-of-projects", twin="Tasks")
ABOVE = Field("Above", Kind.REFERENCES, points_to=HERE, twin="Below")
BELOW = Field("Below", Kind.REFERENCES, points_to=HERE, twin="Above")
PEOPLE = Field("Who", Kind.REFERENCES)
NAME = Field("Name", Kind.TEXT)
LIST = Field("list", Kind.REFERENCES)
TARGETS = {"projects": Target("source-of-projects"), "tasks": Target(HERE, frozenset({"Above", "Below"}))}


def said(
    *mapped: tuple[Field, Field, str], targets: Mapping[str, Target] = TARGETS
) -> list[tuple[bool, str]]:
    rules = Rules(tuple(FieldRule(Pair(one.name, other.name), relation=task) for one, other, task in mapped))
    schemas = Pair({one.name: one for one, _, _ in mapped}, {other.name: other for _, other, _ in mapped})
    found = judge(rules, schemas, Pair(Capabilities(), Capabilities()), targets)
    return [(one.stops, one.sentence) for one in found]


@pytest.mark.parametrize("kind", [Kind.REFERENCES, Kind.ANY, Kind.CHOICES])
def test_a_relation_to_a_list_of_ids_is_fine(kind: Kind) -> None:
    assert said((PROJECT, Field("list", kind), "projects")) == []


@pytest.mark.parametrize("kind", [Kind.TEXT, Kind.NUMBER])
def test_that_a_column_keeps_one_id_is_a_note(kind: Kind) -> None:
    ((stops, sentence),) = said((PROJECT, Field("project_id", kind), "projects"))
    assert not stops
    assert "keeps one id in 'project_id'" in sentence


@pytest.mark.parametrize(
    ("one", "other", "task", "sentence"),
    [
        (PEOPLE, LIST, "projects", "'Who' of notion is no relation"),
        (NAME, LIST, "projects", "holds text and is no relation"),
        (PROJECT, Field("done", Kind.CHECKBOX), "projects", "'done' of other holds checkbox"),
        (
            PROJECT,
            LIST,
            "tasks",
            "points to data source source-of-projects, but task tasks keeps source-of-ta",
        ),
        (
            PROJECT,
            Field("list", Kind.REFERENCES, writable=False),
            "projects",
            "does not let 'list' be written",
        ),
    ],
)
def test_what_cannot_work_is_told_with_the_remedy(one: Field, other: Field, task: str, sentence: str) -> None:
    ((stops, told),) = said((one, other, task))
    assert stops
    assert sentence in told


def test_what_cannot_be_told_now_stops_nothing() -> None:
    assert said((PROJECT, LIST, "projects"), targets={"projects": Target()}) == []
    assert said((PROJECT, LIST, "projects"), targets={}) == []


def test_both_ends_of_one_relation_are_told_once() -> None:
    other = Field("below", Kind.REFERENCES)
    ((stops, sentence),) = said((ABOVE, LIST, "tasks"), (BELOW, other, "tasks"))
    assert not stops
    assert "keeps 'Below' and 'Above' in step by itself: map one of them only" in sentence


def test_the_other_end_in_another_task_is_told_too() -> None:
    targets = {"projects": Target("source-of-projects", frozenset({"Tasks"}))}
    ((stops, sentence),) = said((PROJECT, LIST, "projects"), targets=targets)
    assert not stops
    assert "and task projects maps the latter" in sentence


def test_one_end_alone_is_fine() -> None:
    targets = {"tasks": Target(HERE, frozenset({"Above"}))}
    assert said((ABOVE, LIST, "tasks"), targets=targets) == []
