"""docs/what-crosses.md, held against the kinds that fit together."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync_workers.engine.rules import Direction, FieldRule, Rules
from sync_workers.fields import Field, Kind
from sync_workers.model import Pair
from sync_workers.runs.check import judge
from sync_workers.services.base import Capabilities
from sync_workers.services.caldav.fields import FIELDS
from sync_workers.services.notion.codecs import CODECS
from sync_workers.services.sql.columns import KINDS, Form

PAGE = (Path(__file__).parents[2] / "docs" / "what-crosses.md").read_text(encoding="utf-8")


def table(head: str) -> list[list[str]]:
    """The cells under a line that begins like this."""
    lines = PAGE[PAGE.index(head) :].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]


def types() -> dict[str, list[str]]:
    rows = table("| property type |")[2:]
    return {kind.strip(" `"): row for row in rows for kind in row[0].split(",")}


def fits(source: Kind, target: Kind) -> bool:
    """Whether `check` lets a field of one kind cross to one of another without a value map."""
    fields = Pair({"x": Field("x", source)}, {"x": Field("x", target)})
    rules = Rules((FieldRule(Pair("x", "x"), Direction.TO_OTHER),))
    found = judge(rules, fields, Pair(Capabilities(), Capabilities()))
    return not any(finding.stops for finding in found)


def test_every_property_type_has_its_row() -> None:
    assert set(types()) == {*CODECS, "button"}


@pytest.mark.parametrize("kind", CODECS)
def test_each_place_that_is_named_takes_the_kind_of_the_property(kind: str) -> None:
    _, caldav, sql, *_ = types()[kind]
    forms = {str(form): KINDS.get(form, Kind.TEXT) for form in Form}
    named = [FIELDS[part.strip("`")].kind for part in caldav.split(", ") if part.startswith("`")]
    if CODECS[kind].kind is not Kind.ANY:
        named += [forms[part.strip()] for part in sql.split(",")]
    assert named
    assert [target for target in named if not fits(CODECS[kind].kind, target)] == []


@pytest.mark.parametrize("kind", CODECS)
def test_what_is_read_only_is_said_to_be(kind: str) -> None:
    assert ("to write it" in types()[kind][4]) is (CODECS[kind].write is None)


@pytest.mark.parametrize("source", [kind for kind in Kind if kind is not Kind.ANY])
def test_the_table_of_kinds_says_what_check_says(source: Kind) -> None:
    head, _, *rows = table("| from \\ to |")
    (row,) = [row for row in rows if row[0] == source]
    for target, said in zip(head[1:], row[1:], strict=True):
        assert (said != "map") is fits(source, Kind(target)), target
    assert {*head[1:], "any"} == set(Kind)
