from __future__ import annotations

from pathlib import Path

import pytest

from sync_workers.config import load, read
from sync_workers.errors import SettingsError
from tests.config.fakes import find_kind
from tests.config.faults import FAULTS, GOOD


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as raised:
        read(text, Path("sync.toml"), find_kind)
    return raised.value.problems


def test_the_good_file_has_no_problem() -> None:
    assert read(GOOD, Path("sync.toml"), find_kind).tasks


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
        ["sync.toml:12", 'tasks."Two words".other.box'],
        ["sync.toml:12", 'tasks."Two words".other.bxo'],
        ["sync.toml:14", 'tasks."Two words".fields.Name.values'],
        ["sync.toml:15", 'tasks."Two words".fields.Due'],
        ["sync.toml:16", "tasks.two-words"],
        ["sync.toml:16", "tasks.two-words.notion"],
        ["sync.toml:16", "tasks.two-words.other"],
        ["sync.toml:16", "tasks.two-words.fields"],
    ]
    assert "is the same name as 'Two words'" in found[12]


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


def test_a_wrong_connection_does_not_hide_what_is_wrong_with_the_sides_on_it(tmp_path: Path) -> None:
    text = """
[connections.db]
kind = "sql"
url = "sqlite:///x.db"
tiemout = 5
[tasks.t]
match = ["Nam"]
notion = { connection = "db", tabel = "a" }
other = { connection = "db", table = "b" }
[tasks.t.fields]
Name = "name"
"""
    with pytest.raises(SettingsError) as caught:
        read(text, tmp_path / "sync.toml")
    told = "\n".join(caught.value.problems)
    for word in ("tiemout", "tabel", "'Nam'"):
        assert word in told
