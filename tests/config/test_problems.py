from __future__ import annotations

from pathlib import Path

import pytest

from sync_workers.config import load, read
from sync_workers.errors import SettingsError
from tests.config.fakes import find_kind

GOOD = """\
imports = ["my_tasks"]
[connections.work]
kind = "vault"
token = { env = "VAULT_TOKEN" }
[connections.calendar]
kind = "memory"
[tasks.todo]
every = "10s"
match = ["Name"]
notion = { connection = "work", box = "left" }
other = { connection = "calendar", container = "todo" }
[tasks.todo.guard]
lost_number = 3
[tasks.todo.fields]
Name = "summary"
Status = { other = "status", values = { "Done" = "COMPLETED" } }
"""


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as raised:
        read(text, Path("sync.toml"), find_kind)
    return raised.value.problems


def test_the_good_file_has_no_problem() -> None:
    assert read(GOOD, Path("sync.toml"), find_kind).tasks


# Each row: what is written instead of what in the good file; where its one problem is; what it says.
FAULTS = {
    "unknown table": (
        "[tasks.todo]\n",
        "[task.x]\n[tasks.todo]\n",
        "7: task",
        "no such key; did you mean 'tasks'?",
    ),
    "imports is text": ('["my_tasks"]', '"my_tasks"', "1: imports", "should be a list"),
    "an import is a number": ('["my_tasks"]', '["a",\n3]', "2: imports[1]", "should be text"),
    "no kind": ('kind = "memory"\n', "", "5: connections.calendar.kind", "is missing"),
    "kind is a number": ('"memory"', "3", "6: connections.calendar.kind", "should be text"),
    "kind unknown": (
        '"vault"',
        '"valt"',
        "3: connections.work.kind",
        "no service 'valt'; did you mean 'vault'?",
    ),
    "real kind unknown": ('"memory"', '"memroy"', "6: connections.calendar.kind", "did you mean 'memory'?"),
    "connection key unknown": (
        "token =",
        'spar = "x"\ntoken =',
        "4: connections.work.spar",
        "did you mean 'spare'?",
    ),
    "kind twice": (
        'kind = "memory"',
        'knd = "x"\nkind = "memory"',
        "6: connections.calendar.knd",
        "mean 'kind'?",
    ),
    "connection key missing": (
        'token = { env = "VAULT_TOKEN" }\n',
        "",
        "2: connections.work.token",
        "is missing",
    ),
    "secret in plain text": (
        '{ env = "VAULT_TOKEN" }',
        '"ntn_1"',
        "4: connections.work.token",
        'write { env = "NAME" }',
    ),
    "secret in two places": (
        '"VAULT_TOKEN"',
        '"A", file = "b"',
        "4: connections.work.token",
        "exactly one place",
    ),
    "secret's key unknown": (
        "{ env",
        '{ evn = "A", env',
        "4: connections.work.token.evn",
        "did you mean 'env'?",
    ),
    "a secret or text, as neither": (
        "token =",
        "address = 3\ntoken =",
        "4: connections.work.address",
        "should be a table or should be text",
    ),
    "a secret or text, as half a secret": (
        "token =",
        'address = { evn = "A" }\ntoken =',
        "4: connections.work.address.evn",
        "no such key; did you mean 'env'?",
    ),
    "a secret or text, as no secret": (
        "token =",
        "address = {}\ntoken =",
        "4: connections.work.address",
        "exactly one place",
    ),
    "time zone of a kind": (
        "token =",
        'zone = "Europe/Belin"\ntoken =',
        "4: connections.work.zone",
        "did you mean 'Europe/Berlin'?",
    ),
    "rule of a kind": (
        "token =",
        "depth = 0\ntoken =",
        "4: connections.work.depth",
        "greater than or equal to 1",
    ),
    "task is text": ("[tasks.todo]\n", "[tasks]\nx = 3\n[tasks.todo]\n", "8: tasks.x", "should be a table"),
    "task key unknown": (
        "every =",
        'confict = "x"\nevery =',
        "8: tasks.todo.confict",
        "did you mean 'conflict'?",
    ),
    "every is a number": ('"10s"', "10", "8: tasks.todo.every", 'should be text such as "10s"'),
    "every is nonsense": ('"10s"', '"soon"', "8: tasks.todo.every", "'soon' is no interval"),
    "every is too short": ('"10s"', '"0s"', "8: tasks.todo.every", "the shortest interval is 1s"),
    "crontab": ('every = "10s"', 'crontab = "* * * * 9"', "8: tasks.todo.crontab", "no day of the week"),
    "both schedules": ("match =", 'crontab = "* * * * *"\nmatch =', "9: tasks.todo.crontab", "not both"),
    "time zone": (
        'every = "10s"',
        'crontab = "* * * * *"\ntimezone = "Europe/Belin"',
        "9: tasks.todo.timezone",
        "did you mean 'Europe/Berlin'?",
    ),
    "time zone for nothing": (
        "match =",
        'timezone = "UTC"\nmatch =',
        "9: tasks.todo.timezone",
        "there is none",
    ),
    "in_total is nought": (
        "match =",
        "in_total = 0\nmatch =",
        "9: tasks.todo.in_total",
        "greater than or equal to 1",
    ),
    "in_total is text": (
        "match =",
        'in_total = "3"\nmatch =',
        "9: tasks.todo.in_total",
        "should be a whole number",
    ),
    "in_total is true": (
        "match =",
        "in_total = true\nmatch =",
        "9: tasks.todo.in_total",
        "should be a whole number",
    ),
    "conflict": ("match =", 'conflict = "newr"\nmatch =', "9: tasks.todo.conflict", "did you mean 'newer'?"),
    "conflict is a number": (
        "match =",
        "conflict = 1\nmatch =",
        "9: tasks.todo.conflict",
        "should be 'newer', ",
    ),
    "tie": ("match =", 'tie = "notoin"\nmatch =', "9: tasks.todo.tie", "did you mean 'notion'?"),
    "delete": ("match =", 'delete = "archiv"\nmatch =', "9: tasks.todo.delete", "did you mean 'archive'?"),
    "ambiguous": ("match =", 'ambiguous = "zz"\nmatch =', "9: tasks.todo.ambiguous", "there is copy, report"),
    "match unknown": (
        '["Name"]',
        '["Nmae"]',
        "9: tasks.todo.match[0]",
        "no field of the task; did you mean 'Name'?",
    ),
    "match is empty": ('["Name"]', "[]", "9: tasks.todo.match", "at least 1 item"),
    "match is text": ('["Name"]', '"Name"', "9: tasks.todo.match", "should be a list"),
    "match not said": ('match = ["Name"]\n', "", "7: tasks.todo", 'such as match = ["Name"]'),
    "side missing": (
        'notion = { connection = "work", box = "left" }\n',
        "",
        "7: tasks.todo.notion",
        "is missing",
    ),
    "side is text": (
        '{ connection = "calendar", container = "todo" }',
        '"x"',
        "11: tasks.todo.other",
        "a table",
    ),
    "no connection": ('connection = "work", ', "", "10: tasks.todo.notion.connection", "is missing"),
    "connection unknown": (
        '= "work"',
        '= "wrok"',
        "10: tasks.todo.notion.connection",
        "did you mean 'work'?",
    ),
    "connection misspelt": (
        'connection = "calendar"',
        'connection = "calendar", conection = "x"',
        "11: tasks.todo.other.conection",
        "did you mean 'connection'?",
    ),
    "side's key unknown": (
        '"left"',
        '"left", ordr = 1',
        "10: tasks.todo.notion.ordr",
        "did you mean 'order'?",
    ),
    "side's key missing": (', box = "left"', "", "10: tasks.todo.notion.box", "is missing"),
    "choice of a side": (
        '"left"',
        '"left", order = "upp"',
        "10: tasks.todo.notion.order",
        "did you mean 'up'?",
    ),
    "same place": (
        'connection = "work", box = "left"',
        'connection = "calendar", container = "todo"',
        "11: tasks.todo.other",
        "is the same place as notion",
    ),
    "guard's key": (
        "lost_number",
        "lost_numbr",
        "13: tasks.todo.guard.lost_numbr",
        "did you mean 'lost_number'?",
    ),
    "guard's share": (
        "lost_number = 3",
        "lost_share = 25",
        "13: tasks.todo.guard.lost_share",
        "less than or equal to 1",
    ),
    "guard is text": (
        "[tasks.todo.guard]\nlost_number",
        "guard",
        "12: tasks.todo.guard",
        "should be a table",
    ),
    "no fields": (GOOD[GOOD.index("[tasks.todo.fields]") :], "", "7: tasks.todo.fields", "is missing"),
    "empty fields": (GOOD[GOOD.index("Name =") :], "", "14: tasks.todo.fields", "maps nothing"),
    "field is a number": ('"summary"', "3", "15: tasks.todo.fields.Name", "should be a name"),
    "field without other": ('other = "status", ', "", "16: tasks.todo.fields.Status.other", "is missing"),
    "field's key": (
        "values =",
        'derection = "x", values =',
        "16: tasks.todo.fields.Status.derection",
        "'direction'?",
    ),
    "direction": (
        "values =",
        'direction = "to", values =',
        "16: tasks.todo.fields.Status.direction",
        "'to' is none",
    ),
    "field's conflict": (
        "values =",
        'conflict = "othr", values =',
        "16: tasks.todo.fields.Status.conflict",
        "'other'?",
    ),
    "field taken twice": (
        '"status"',
        '"summary"',
        "16: tasks.todo.fields.Status",
        "goes to 'summary', as 'Name' does",
    ),
    "value map is text": (
        '{ "Done" = "COMPLETED" }',
        '"x"',
        "16: tasks.todo.fields.Status.values",
        "should be a table",
    ),
    "value map is empty": (
        '{ "Done" = "COMPLETED" }',
        "{}",
        "16: tasks.todo.fields.Status.values",
        "is empty",
    ),
    "value map's pairs": (
        '{ "Done" = "COMPLETED" }',
        '[["a", 1], ["b"]]',
        "16: tasks.todo.fields.Status.values",
        "item 2",
    ),
    "value map's lists": (
        '{ "Done" = "COMPLETED" }',
        '[["a", []]]',
        "16: tasks.todo.fields.Status.values",
        "pair 1",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_problem_with_its_line_and_the_nearest_name(fault: str) -> None:
    # Given a good file with one fault
    written, instead, place, says = FAULTS[fault]
    assert GOOD.count(written) == 1, "the row names one place"

    # When it is read
    found = problems(GOOD.replace(written, instead))

    # Then there is one problem, at that place, and it says what is wrong
    assert len(found) == 1
    assert found[0].startswith(f"sync.toml:{place}: ")
    assert says in found[0]


def test_all_problems_are_told_at_once_in_the_order_of_the_file() -> None:
    text = """\
import = ["x"]
[connections.a]
kind = "memry"
[connections.b]
kind = "vault"
token = "ntn_secret"
[tasks."Two words"]
every = "0s"
crontab = "* *"
confict = "newer"
notion = { connection = "c", box = 1 }
other = { connection = "b", box = 1, bxo = 2 }
[tasks."Two words".fields]
Name = { other = "title", values = 1 }
Due = 3
[tasks.two-words]
"""

    found = problems(text)

    assert [problem.split(": ")[:2] for problem in found] == [
        ["sync.toml:1", "import"],
        ["sync.toml:3", "connections.a.kind"],
        ["sync.toml:6", "connections.b.token"],
        ["sync.toml:8", 'tasks."Two words".every'],
        ["sync.toml:9", 'tasks."Two words".crontab'],
        ["sync.toml:9", 'tasks."Two words".crontab'],
        ["sync.toml:10", 'tasks."Two words".confict'],
        ["sync.toml:11", 'tasks."Two words".notion.connection'],
        ["sync.toml:14", 'tasks."Two words".fields.Name.values'],
        ["sync.toml:15", 'tasks."Two words".fields.Due'],
        ["sync.toml:16", "tasks.two-words"],
        ["sync.toml:16", "tasks.two-words.notion"],
        ["sync.toml:16", "tasks.two-words.other"],
        ["sync.toml:16", "tasks.two-words.fields"],
    ]
    assert "is the same name as 'Two words'" in found[10]


def test_a_side_with_a_broken_connection_says_nothing_more() -> None:
    found = problems(GOOD.replace('kind = "vault"', 'kind = "valt"'))

    assert len(found) == 1


def test_no_message_shows_a_secret() -> None:
    for instead in (
        '"ntn_12345"',
        '["ntn_12345"]',
        '{ env = "A", value = "ntn_12345" }',
        '{ file = ["ntn_12345"] }',
    ):
        assert "ntn_12345" not in "".join(problems(GOOD.replace('{ env = "VAULT_TOKEN" }', instead)))


@pytest.mark.parametrize("name", ["-x", "ä", "a/b", "x" * 65])
def test_a_task_needs_a_name_that_redis_keys_can_carry(name: str) -> None:
    found = problems(GOOD.replace("tasks.todo", f'tasks."{name}"'))

    assert len(found) == 1
    assert (
        f"sync.toml:7: tasks.{name if name.isascii() and '/' not in name else chr(34) + name + chr(34)}: "
        in found[0]
    )
    assert "is no name for a task" in found[0]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a = 1\nb c\n", "sync.toml:2:3: this is no TOML: "),
        ("a = [\n1,\n", "sync.toml:3: this is no TOML: "),
        ("[a]\n[a]\n", "sync.toml:2:3: this is no TOML: "),
        ("a = 1\na = 2\n", "sync.toml:2:6: this is no TOML: "),
    ],
)
def test_what_is_no_toml_is_one_problem_with_line_and_column(text: str, place: str) -> None:
    (found,) = problems(text)

    assert found.startswith(place)
    assert "(at " not in found[len(place) :].replace("(at end of document)", "")


def test_a_missing_file_names_the_ways_out(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as raised:
        load(tmp_path / "sync.toml")

    (found,) = raised.value.problems
    assert str(tmp_path / "sync.toml") in found
    assert "`sync-workers init`" in found
    assert "SYNC_WORKERS_CONFIG" in found


def test_a_folder_or_other_bytes_are_refused_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load(tmp_path)
    (tmp_path / "sync.toml").write_bytes(b"a = '\xff'")
    with pytest.raises(SettingsError, match="is not UTF-8"):
        load(tmp_path / "sync.toml")
