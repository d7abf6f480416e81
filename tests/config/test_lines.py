from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_workers.config.lines import Path, find_lines, line_of

TEXT = '''\
# [not.a.table]
imports = [  # a = 1
    "one",
    "two # three",
]

[connections.work]
kind = "notion"
token = { env = "TOKEN", "file" = 'x' }

[tasks."to do".fields]   # a comment
Name = "summary"
"Due [date]" = { other = "due", values = { "To = do" = "a", Done = "b" } }
a.b . "c.d" = """
x = 1
[tasks.trap]
\\""" "
"""
last = [["x", true], ["y", { deep = 1 }]]
e = \'\'\'
]]\'\'\'\'
[[list]]
n = 1
[list.under]
[[list]]
n = 2
[[list.more]]
z = 1979-05-27T07:32:00Z
[tasks."to do"]
every = "1s"
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("imports",), 2),
        (("imports", 0), 3),
        (("imports", 1), 4),
        (("connections",), 7),
        (("connections", "work"), 7),
        (("connections", "work", "kind"), 8),
        (("connections", "work", "token", "env"), 9),
        (("connections", "work", "token", "file"), 9),
        (("tasks", "to do", "fields"), 11),
        (("tasks", "to do", "fields", "Name"), 12),
        (("tasks", "to do", "fields", "Due [date]", "other"), 13),
        (("tasks", "to do", "fields", "Due [date]", "values", "To = do"), 13),
        (("tasks", "to do", "fields", "a"), 14),
        (("tasks", "to do", "fields", "a", "b", "c.d"), 14),
        (("tasks", "to do", "fields", "last"), 19),
        (("tasks", "to do", "fields", "last", 1, 1, "deep"), 19),
        (("tasks", "to do", "fields", "e"), 20),
        (("list",), 22),
        (("list", 0, "n"), 23),
        (("list", 0, "under"), 24),
        (("list", 1), 25),
        (("list", 1, "n"), 26),
        (("list", 1, "more", 0, "z"), 28),
        (("tasks", "to do"), 29),  # its own header, although something in it stood before
        (("tasks",), 11),
        (("tasks", "to do", "every"), 30),
    ],
)
def test_every_key_has_its_line(path: Path, line: int) -> None:
    assert find_lines(TEXT)[path] == line


def test_nothing_is_found_that_the_text_does_not_hold() -> None:
    assert set(find_lines(TEXT)) == set(paths(tomllib.loads(TEXT)))


def test_a_missing_key_is_on_the_line_of_its_table() -> None:
    lines = find_lines(TEXT)

    assert line_of(lines, ("connections", "work", "tokn", "env")) == 8 - 1
    assert line_of(lines, ("nothing",)) == 1
    assert line_of({}, ("nothing",)) == 1


@pytest.mark.parametrize(
    "text", ["", "\n", "# only\n", "a=1", "a=1#", "[a]", "a={}", "a=[]", "\r\na = 1\r\n[b]\r\n"]
)
def test_small_and_windows_texts_are_read(text: str) -> None:
    assert set(find_lines(text)) == set(paths(tomllib.loads(text.replace("\r\n", "\n"))))


KEYS = st.one_of(
    st.text(alphabet="ab-_1", min_size=1, max_size=3), st.text(alphabet="a.#=[]{}'\", ", max_size=4)
)


def test_a_long_text_may_end_in_quotes_of_its_own() -> None:
    text = 'a = """x"""""\nb = 1\n'

    assert find_lines(text) == {("a",): 1, ("b",): 2}


SCALARS = st.one_of(st.integers(), st.booleans(), st.text(alphabet="a.#=[]{}'\",\\ \n", max_size=8))
VALUES = st.recursive(
    SCALARS, lambda v: st.lists(v, max_size=3) | st.dictionaries(KEYS, v, max_size=3), max_leaves=8
)
TABLES = st.dictionaries(KEYS, st.dictionaries(KEYS, VALUES, max_size=4), max_size=4)


@given(TABLES)
def test_whatever_a_file_holds_its_keys_are_found_where_they_were_written(tables: dict[str, Any]) -> None:
    # Given a file with one key a line, and where each was written
    written: dict[Path, int] = {}
    lines: list[str] = []
    for name, table in tables.items():
        lines += ["", f"[{quoted(name)}]  # [no.table]"]
        written[name,] = len(lines)
        for key, value in table.items():
            lines.append(f"{quoted(key)} = {inline(value)} # x = 1")
            written[name, key] = len(lines)
    text = "\n".join(lines) + "\n"

    # When its lines are looked for
    found = find_lines(text)

    # Then all and only the keys of the file are there, and stand where they were written
    assert set(found) == set(paths(tomllib.loads(text)))
    assert {path: found[path] for path in written} == written


def quoted(key: str) -> str:
    return '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'


def inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(key)} = {inline(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(inline, value)) + "]"
    if isinstance(value, str):
        return quoted(value).replace("\n", "\\n")
    return str(value).lower()


def paths(data: Any, start: Path = ()) -> list[Path]:
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [p for key, item in items for p in ((*start, key), *paths(item, (*start, key)))]
