from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest
from celery.schedules import crontab as celery_crontab
from hypothesis import example, given
from hypothesis import strategies as st

from sync_workers.naming import hint, nearest, task_name
from sync_workers.schedule import Schedule, crontab, interval, interval_text, timezone


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("10s", timedelta(seconds=10)),
        ("1s", timedelta(seconds=1)),
        ("5m", timedelta(minutes=5)),
        ("1h 30m", timedelta(hours=1, minutes=30)),
        ("1h30m", timedelta(hours=1, minutes=30)),
        (" 2 D ", timedelta(days=2)),
        ("1d 1h 1m 1s", timedelta(days=1, hours=1, minutes=1, seconds=1)),
        ("90m", timedelta(minutes=90)),
    ],
)
def test_an_interval_is_read(text: str, length: timedelta) -> None:
    assert interval(text) == length


@pytest.mark.parametrize(
    "text", ["", " ", "10", "s", "10x", "5m 1h", "1h 1h", "-5s", "1.5h", "10 s x", "\u0661s"]
)
def test_what_is_no_interval_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match='write one such as "10s"'):
        interval(text)


@pytest.mark.parametrize("text", ["0s", "0m", "0h 0s"])
def test_an_interval_below_a_second_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="the shortest interval is 1s"):
        interval(text)


def test_an_interval_that_never_ends_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than anybody waits"):
        interval("9999999999999d")


@given(st.integers(min_value=1, max_value=10**8))
def test_an_interval_reads_back_as_it_is_shown(seconds: int) -> None:
    length = timedelta(seconds=seconds)

    assert interval(interval_text(length)) == length


@pytest.mark.parametrize(
    "text",
    [
        "* * * * *",
        "*/5 * * * *",
        "0 9 * * mon-fri",
        "0 9 1 JAN Sun",
        "0-30/5,59 */2 1,15 * 0,6",
        "5-1 22-4 * * *",
    ],
)
def test_a_crontab_is_taken(text: str) -> None:
    assert crontab(f"  {text} ") == text
    assert celery_crontab.from_string(text)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "five fields"),
        ("* * * *", "five fields"),
        ("* * * * * *", "five fields"),
        ("60 * * * *", "minute"),
        ("mon * * * *", "minute"),
        ("* 24 * * *", "hour"),
        ("* * 0 * *", "day of the month"),
        ("* * 32 * *", "day of the month"),
        ("* * * 13 *", "month"),
        ("* * * mon *", "month"),
        ("* * * * 7", "day of the week"),
        ("* * * * jan", "day of the week"),
        ("*/0 * * * *", "minute"),
        ("*/ * * * *", "minute"),
        ("*/x * * * *", "minute"),
        ("1/2 * * * *", "minute"),
        ("1,,2 * * * *", "minute"),
        ("1-2-3 * * * *", "minute"),
        ("-1 * * * *", "minute"),
        ("** * * * *", "minute"),
        ("? * * * *", "minute"),
        ("\u0663 * * * *", "minute"),
    ],
)
def test_what_is_no_crontab_is_refused_by_its_field(text: str, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        crontab(text)


_part = st.text(alphabet="0123456789*/-,monjafriSU?٣", min_size=1, max_size=6)


@given(st.lists(_part, min_size=5, max_size=5).map(" ".join))
@example("0 9 * * mon-fri")
@example("٣ * * * *")
def test_beat_understands_every_crontab_that_is_taken(text: str) -> None:
    try:
        taken = crontab(text)
    except ValueError:
        return

    assert celery_crontab.from_string(taken)


def test_a_known_time_zone_is_taken() -> None:
    assert timezone("Europe/Berlin") == "Europe/Berlin"
    assert timezone("UTC") == "UTC"


def test_an_unknown_time_zone_is_refused_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean 'Europe/Berlin'") as raised:
        timezone("europe/berln")
    assert len(str(raised.value)) < 100
    with pytest.raises(ValueError, match=r"'x' is no time zone$"):
        timezone("x")


def test_a_schedule_is_a_value_that_refuses_nonsense() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Schedule().every = timedelta(1)  # type: ignore[misc]
    with pytest.raises(ValueError, match="not both"):
        Schedule(every=timedelta(seconds=1), crontab="* * * * *")
    with pytest.raises(ValueError, match="longer than nothing"):
        Schedule(every=timedelta(0))
    with pytest.raises(ValueError, match="at least once"):
        Schedule(in_total=0)


@pytest.mark.parametrize(
    ("schedule", "text", "by_itself"),
    [
        (Schedule(), "when asked", False),
        (Schedule(every=timedelta(minutes=90)), "every 1h 30m", True),
        (Schedule(every=timedelta(seconds=0.5)), "every 0.5s", True),
        (Schedule(crontab="0 9 * * *", timezone="Europe/Berlin"), "0 9 * * * (Europe/Berlin)", True),
    ],
)
def test_a_schedule_says_when(schedule: Schedule, text: str, by_itself: bool) -> None:
    assert str(schedule) == text
    assert schedule.by_itself is by_itself


@pytest.mark.parametrize(
    ("text", "name"), [("Todo List", "todo-list"), (" a ", "a"), ("9_x-y", "9_x-y"), ("a" * 64, "a" * 64)]
)
def test_a_task_name_has_one_form(text: str, name: str) -> None:
    assert task_name(text) == name


@pytest.mark.parametrize("text", ["", " ", "-a", "_a", "ä", "a:b", "a{b}", "a" * 65, "a.b", "a\n b/"])
def test_what_is_no_task_name_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no name for a task"):
        task_name(text)


def test_the_nearest_name_is_found_however_it_is_written() -> None:
    assert nearest("STATSU", ["Name", "Status"]) == "Status"
    assert nearest("xyz", ["Name", "Status"]) is None


def test_a_hint_names_the_nearest_else_a_few() -> None:
    assert hint("newr", ["newer", "other"]) == "; did you mean 'newer'?"
    assert hint("q", ["newer", "other"]) == "; there is newer, other"
    assert hint("q", []) == "; there is none"
    assert hint("q", [f"name{number}" for number in range(100)]) == ""
