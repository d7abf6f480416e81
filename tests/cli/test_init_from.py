"""`sync-workers init --from`: a task file from a real schema, with every property type."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sync_workers.config import load
from sync_workers.engine.rules import Direction, FieldRule
from sync_workers.model import Pair
from sync_workers.sandbox.notion import TOKEN, Notion
from sync_workers.sandbox.schema import TYPES
from sync_workers.sandbox.serve import SandboxServer
from tests.cli.command import Command

PLAIN = [kind for kind in sorted(TYPES) if kind not in {"relation", "rollup", "formula", "status"}]


@pytest.fixture
def notion(monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxServer]:
    monkeypatch.setenv("NOTION_TOKEN_OF_THE_TEST", TOKEN)
    with SandboxServer(Notion(requests_per_minute=None)) as server:
        Path("mine.toml").write_text(
            f"""
            [connections.work]
            kind = "notion"
            token = {{ env = "NOTION_TOKEN_OF_THE_TEST" }}
            url = "{server.url}"
            """,
            encoding="utf-8",
        )
        yield server


def columns(shops: str) -> dict[str, Any]:
    """A property of every type that there is."""
    return {
        **{f"A {kind}": kind for kind in PLAIN},
        'Quoted "so"\tor\\so': "number",
        "Größe": "number",
        "grosse!": "number",
        "Grosse": "number",
        "State": "status",
        "Sum": {"formula": {"expression": "1 + 1"}},
        "Shop": {"relation": {"data_source_id": shops, "type": "single_property", "single_property": {}}},
        "Shops": {
            "rollup": {
                "relation_property_name": "Shop", "rollup_property_name": "Name", "function": "show_original"
            }
        },
    }  # fmt: skip


def written(command: Command, source: str, *more: str) -> dict[str, FieldRule]:
    """What the task file says that was written from it."""
    made = command("init", "--from", source, "--connection", "work", "--config", "mine.toml", *more)
    assert (made.code, made.err) == (0, "")
    task = load(Path("sync.toml")).tasks["sync"]
    return {rule.attrs.notion: rule for rule in task.rules.fields}


def test_every_property_that_can_be_mapped_has_a_line(command: Command, notion: SandboxServer) -> None:
    shops = notion.notion.add_database("Shops", {"Name": "title"})
    source = notion.notion.add_database("Things", columns(shops))

    rules = written(command, source)

    text = Path("sync.toml").read_text(encoding="utf-8")
    shown = notion.notion.store.data_sources[source].properties
    commented = [line for line in text.splitlines() if line.startswith('# "')]
    pages = [line for line in commented if line.endswith("# no property, but it can be mapped")]
    assert len(rules) + len(commented) - len(pages) == len(shown)
    assert next(iter(rules)) == "A title"
    assert load(Path("sync.toml")).tasks["sync"].rules.key == ("A title",)
    assert rules['Quoted "so"\tor\\so'].attrs.other == "quoted_so_or_so"
    alike = {rules[name].attrs.other for name in ("Größe", "grosse!", "Grosse")}
    assert alike == {"grosse", "grosse_2", "grosse_3"}
    for computed in ("A created_time", "A last_edited_by", "A unique_id", "Sum"):
        assert rules[computed].direction is Direction.TO_OTHER
    assert rules["A number"].direction is Direction.BOTH
    assert rules["A people"].form == "email"
    done = {"Not started": False, "In progress": False, "Done": True}
    assert rules["State"].values == tuple(Pair(*pair) for pair in done.items())
    assert "A button" not in rules
    assert '# "A button": the type button cannot be mapped' in text
    assert '# "Shop" = { other = "shop", relation = "TASK" }' in text
    assert TOKEN not in text


def test_the_written_file_is_one_that_check_takes_to_the_other_side(
    command: Command, notion: SandboxServer
) -> None:
    source = notion.notion.add_database("Things", {"Name": "title", "State": "status"})

    written(command, source)
    result = command("check")

    assert "there is no file" in result.err
    assert "notion" not in result.err


def test_a_to_do_gets_the_states_that_it_knows(command: Command, notion: SandboxServer) -> None:
    source = notion.notion.add_database(
        "Things",
        {
            "Name": "title",
            "State": "status",
            "Due": "date",
            "Price": "number",
            "Mail": "email",
            "Own": "people",
        },
    )

    rules = written(command, source, "--other", "caldav")

    assert {name: rule.attrs.other for name, rule in rules.items()} == {
        "Name": "summary", "State": "status", "Due": "due", "Price": "priority", "Mail": "description"
    }  # fmt: skip
    assert rules["State"].values == (
        Pair("Not started", "NEEDS-ACTION"), Pair("In progress", "IN-PROCESS"), Pair("Done", "COMPLETED")
    )  # fmt: skip
    assert '# "Own" = "..."' in Path("sync.toml").read_text(encoding="utf-8")


def test_a_to_do_gets_what_is_most_like_its_fields_whatever_comes_first(
    command: Command, notion: SandboxServer
) -> None:
    # given properties that would fit as well, or that nobody can write, before those that are meant
    source = notion.notion.add_database(
        "Things",
        {
            "Edited": "last_edited_time",
            "Number": "unique_id",
            "Ready": "checkbox",
            "Sort": ["A", "B"],
            "Papers": "files",
            "Mail": "email",
            "Begin": "date",
            "Url": "url",
            "Name": "title",
            "State": "status",
            "Due": "date",
            "Notes": "rich_text",
            "Tags": "multi_select",
        },
    )

    rules = written(command, source, "--other", "caldav")

    # then no two of them write one thing (status and done), and no date of the other side is overwritten
    assert {name: rule.attrs.other for name, rule in rules.items()} == {
        "Name": "summary",
        "Url": "url",
        "Due": "due",
        "State": "status",
        "Notes": "description",
        "Tags": "categories",
        "Begin": "start",
        "Mail": "location",
    }
    text = Path("sync.toml").read_text(encoding="utf-8")
    assert all(f'# "{name}" = "..."' in text for name in ("Edited", "Number", "Ready", "Sort", "Papers"))


@pytest.mark.parametrize("kind", ["sql", "caldav", "memory"])
def test_each_kind_is_written_so_that_it_loads(command: Command, notion: SandboxServer, kind: str) -> None:
    source = notion.notion.add_database("Things", {"Name": "title", "Tags": "multi_select"})
    assert "Name" in written(command, source, "--other", kind)


def test_a_link_of_a_database_leads_to_its_data_source(command: Command, notion: SandboxServer) -> None:
    source = notion.notion.add_database("Things", {"Name": "title"})
    database = notion.notion.store.data_sources[source].database_id.replace("-", "")

    rules = written(command, f"https://www.notion.so/someone/Things-{database}?v=1")

    assert list(rules) == ["Name"]
    assert source in Path("sync.toml").read_text(encoding="utf-8")


def test_a_database_with_several_data_sources_lists_them(command: Command, notion: SandboxServer) -> None:
    source = notion.notion.add_database("Things", {"Name": "title"})
    store = notion.notion.store
    database = store.data_sources[source].database_id
    copy = store.data_sources[source]
    second = "11111111-2222-4333-8444-555555555555"
    store.data_sources[second] = type(copy)(
        second, database, copy.title, copy.properties, copy.created, copy.edited, copy.description
    )

    made = command("init", "--from", database, "--connection", "work", "--config", "mine.toml")

    assert made.code == 1
    assert source in made.err
    assert second in made.err
    assert not Path("sync.toml").exists()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--from", "nothing"], "--from: 'nothing' holds no id of Notion"),
        (["--from", "0" * 32], "it is not there, or not shared"),
        (
            ["--from", "0" * 32, "--other", "cladav"],
            "--other: there is no service 'cladav'; did you mean 'caldav'?",
        ),
        (["--from", "0" * 32, "--other", "notion"], "--other: there is no service 'notion'"),
        (["--from", "0" * 32, "--connection", "wrok"], "no Notion connection 'wrok'; did you mean 'work'?"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_written(
    command: Command, notion: SandboxServer, args: list[str], said: str
) -> None:
    named = [] if "--connection" in args else ["--connection", "work"]
    made = command("init", *args, *named, "--config", "mine.toml")

    assert made.code == 1
    assert said in made.err
    assert not Path("sync.toml").exists()
    assert notion.url


def test_without_a_token_the_variable_is_named(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTION_TOKEN", raising=False)

    made = command("init", "--from", "0" * 32)

    assert made.code == 1
    assert "the environment variable NOTION_TOKEN" in made.err


def test_a_file_that_is_there_stays_and_nothing_is_asked(command: Command, notion: SandboxServer) -> None:
    Path("sync.toml").write_text("# mine\n")

    made = command("init", "--from", "0" * 32, "--connection", "work", "--config", "mine.toml")

    assert made.err.startswith("sync.toml is there already and stays as it is")
    assert Path("sync.toml").read_text() == "# mine\n"
    assert notion.notion.requests == []


class TestConnection:
    def test_the_only_one_of_a_file_that_is_named_is_taken(
        self, command: Command, notion: SandboxServer
    ) -> None:
        source = notion.notion.add_database("Things", {"Name": "title"})
        made = command("init", "--from", source, "--config", "mine.toml")
        assert (made.code, made.err) == (0, "")
        assert notion.url in Path("sync.toml").read_text(encoding="utf-8")

    @pytest.mark.parametrize(
        ("file", "told"),
        [("other.toml", "--connection"), ("none.toml", "--config"), ("away.toml", "away.toml")],
    )
    def test_what_a_named_file_does_not_say_is_asked_for(
        self, command: Command, file: str, told: str
    ) -> None:
        one = '[connections.{}]\nkind = "notion"\ntoken = {{ env = "TOKEN" }}\n'
        Path("other.toml").write_text(one.format("a") + one.format("b"), encoding="utf-8")
        Path("none.toml").write_text("", encoding="utf-8")
        made = command("init", "--from", "9bf087cab1ef4ba6abe76e90707ae830", "--config", file)
        assert made.code != 0
        assert told in made.err
        assert not Path("sync.toml").exists()
