"""The phase `apply` over memory services: what is written, stored and reported, and in which order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sync_workers.engine.rules import AmbiguousPolicy
from sync_workers.model import Side
from sync_workers.state import Pending, State
from tests.runs.here import RULES, Here

BOTH = pytest.mark.parametrize("side", list(Side))


@pytest.fixture
def here() -> Here:
    return Here()


# --- R1: silence ---


@BOTH
def test_r10_one_write_for_each_changed_record(here: Here, side: Side) -> None:
    ids = here.linked()
    here.linked("Milk")
    here.edit(side, ids[side], title="Brot", text="three", note="four")
    here.run()
    assert here.services[side.opposite].asked == [f"update {ids[side.opposite]}"]
    assert here.services[side].asked == []
    assert here.report.calls == {side: 1, side.opposite: 2}


# --- R5: intents and bases ---


# --- other ---


def test_ambiguous_records_are_copied_once_if_the_task_says_so() -> None:
    here = Here(replace(RULES, ambiguous=AmbiguousPolicy.COPY))
    here.add(Side.NOTION, title="Bread", text="one")
    here.add(Side.NOTION, title="Bread", text="two")
    here.add(Side.OTHER, title="Bread", text="three")
    assert here.run().counts == {"other.create": 2, "notion.create": 1}
    assert here.is_quiet()


def test_a_value_that_looks_like_stored_json_is_sent_as_it_is(here: Here) -> None:
    """R8: it must not end the run when the intent is written."""
    value = {"$date": "no date"}
    here.add(Side.NOTION, title="Bread", text=value)
    here.run()
    (copy,) = here.world.containers.other.records.values()
    assert copy.fields["text"] == value
    begun = Pending.model_construct(source={"a": value}, sent={}, key=None)
    state = State(pending={Side.OTHER: {"n": begun}})
    assert State.model_validate_json(state.model_dump_json()).pending[Side.OTHER]["n"].source == {"a": value}


def test_r11_log_lines_carry_ids_and_reasons_but_no_values(
    here: Here, caplog: pytest.LogCaptureFixture
) -> None:
    here.add(Side.NOTION, title="a secret name")
    with caplog.at_level("INFO"):
        here.run()
    assert "create notion-1 on other" in caplog.text
    assert "a secret name" not in caplog.text
