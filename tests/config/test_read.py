from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from sync_workers.config import TaskFile, load, load_for, read
from sync_workers.engine.rules import (
    AmbiguousPolicy,
    DeletePolicy,
    Direction,
    FieldRule,
    Limits,
    OutOfScopePolicy,
)
from sync_workers.errors import SettingsError
from sync_workers.model import ConflictMode, Pair, Side
from sync_workers.services.memory import container
from sync_workers.settings import Settings
from tests.config.fakes import VaultConnection, VaultPlace, find_kind

SMALL = """\
[connections.here]
kind = "memory"
[tasks.todo]
match = ["Name"]
notion = { connection = "here", container = "a" }
other = { connection = "here", container = "b" }
fields = { Name = "title" }
"""

WHOLE = """\
imports = ["my_tasks", "their.tasks"]

[connections.work]
kind = "vault"
token = { env = "VAULT_TOKEN" }
depth = 3

[connections.calendar]
kind = "memory"

[tasks."To do"]
every = "1h 30m"
in_total = 3
tenant = "acme"
conflict = "other"
tie = "notion"
delete = "archive"
out_of_scope = "unlink"
ambiguous = "copy"
match = ["Name", "Due"]
notion = { connection = "work", box = "left" }
other = { connection = "calendar", container = "todo" }
[tasks."To do".guard]
lost_share = 0.5
lost_number = 1
changed_share = 0.4
changed_number = 2
created_share = 3
created_number = 4
[tasks."To do".fields]
Name = "summary"
Due = { other = "due", direction = "to_other" }
Status = { other = "status", conflict = "notion", values = { "To do" = "NEEDS-ACTION", "Done" = "COMPLETED" }}
Ready = { other = "ready", direction = "to_notion", values = [["yes", true], ["no", false], ["no", 0.5]] }
Owner = { other = "owner", form = "email" }
Above = { other = "above", relation = "To Do" }
"""


def read_text(text: str) -> TaskFile:
    return read(text, Path("/there/sync.toml"), find_kind)


def test_a_whole_file_is_read() -> None:
    task_file = read_text(WHOLE)

    assert task_file.path == Path("/there/sync.toml")
    assert task_file.imports == ("my_tasks", "their.tasks")
    assert list(task_file.connections) == ["work", "calendar"]
    assert list(task_file.tasks) == ["to-do"]


def test_a_connection_holds_what_its_kind_asks_for() -> None:
    work = read_text(WHOLE).connections["work"]

    assert (work.name, work.kind) == ("work", "vault")
    assert isinstance(work.settings, VaultConnection)
    assert (work.settings.token.env, work.settings.depth) == ("VAULT_TOKEN", 3)


def test_a_task_holds_its_schedule_and_rules() -> None:
    task = read_text(WHOLE).tasks["to-do"]

    assert task.name == "to-do"
    assert task.schedule.every == timedelta(hours=1, minutes=30)
    assert (task.schedule.crontab, task.schedule.in_total) == (None, 3)
    assert (task.rules.mode, task.rules.tie) == (ConflictMode.OTHER, Side.NOTION)
    assert (task.rules.delete, task.rules.ambiguous) == (
        DeletePolicy.each_way(DeletePolicy.ARCHIVE),
        AmbiguousPolicy.COPY,
    )
    assert task.rules.limits == Limits(0.5, 1, 0.4, 2, 3, 4)
    assert task.rules.out_of_scope is OutOfScopePolicy.UNLINK
    assert task.rules.key == ("Name", "Due")
    assert task.tenant == "acme"


def test_a_task_holds_its_field_map() -> None:
    assert read_text(WHOLE).tasks["to-do"].rules.fields == (
        FieldRule(Pair("Name", "summary")),
        FieldRule(Pair("Due", "due"), Direction.TO_OTHER),
        FieldRule(
            Pair("Status", "status"),
            mode=ConflictMode.NOTION,
            values=(Pair("To do", "NEEDS-ACTION"), Pair("Done", "COMPLETED")),
        ),
        FieldRule(
            Pair("Ready", "ready"),
            Direction.TO_NOTION,
            values=(Pair(notion="yes", other=True), Pair(notion="no", other=False), Pair("no", 0.5)),
        ),
        FieldRule(Pair("Owner", "owner"), form="email"),
        FieldRule(Pair("Above", "above"), relation="to-do"),
    )


def test_a_task_holds_both_sides() -> None:
    sides = read_text(WHOLE).tasks["to-do"].sides

    assert (sides.notion.connection.name, sides.other.connection.name) == ("work", "calendar")
    assert sides.notion.container == VaultPlace(box="left")
    assert sides.notion.mapped.names == ("Name", "Due", "Status", "Ready", "Owner", "Above")
    assert sides.other.mapped.names == ("summary", "due", "status", "ready", "owner", "above")
    assert (sides.notion.mapped.key, sides.other.mapped.key) == ("Name", "summary")
    assert (sides.notion.mapped.forms, sides.other.mapped.forms) == ({"Owner": "email"}, {"owner": "email"})


def test_a_small_file_takes_the_defaults() -> None:
    task = read_text(SMALL).tasks["todo"]

    assert not task.schedule.by_itself
    assert (task.rules.mode, task.rules.tie) == (ConflictMode.NEWER, Side.OTHER)
    assert task.rules.delete == DeletePolicy.each_way(DeletePolicy.PROPAGATE)
    assert (task.rules.out_of_scope, task.rules.ambiguous) == (OutOfScopePolicy.WAIT, AmbiguousPolicy.REPORT)
    assert task.rules.limits == Limits()


@pytest.mark.parametrize(
    ("written", "policies"),
    [
        ('"ignore"', Pair(DeletePolicy.IGNORE, DeletePolicy.IGNORE)),
        (
            '{ to_notion = "unlink", to_other = "archive" }',
            Pair(notion=DeletePolicy.UNLINK, other=DeletePolicy.ARCHIVE),
        ),
        ('{ to_other = "ignore" }', Pair(notion=DeletePolicy.PROPAGATE, other=DeletePolicy.IGNORE)),
    ],
)
def test_a_task_holds_a_delete_policy_for_each_side(written: str, policies: Pair[DeletePolicy]) -> None:
    task = read_text(SMALL.replace("match =", f"delete = {written}\nmatch =")).tasks["todo"]

    assert task.rules.delete == policies


def test_a_crontab_is_kept_with_its_time_zone() -> None:
    text = SMALL.replace("match =", 'crontab = "*/5  9 * * mon-fri"\ntimezone = "Europe/Berlin"\nmatch =')

    schedule = read_text(text).tasks["todo"].schedule

    assert (schedule.crontab, schedule.timezone) == ("*/5 9 * * mon-fri", "Europe/Berlin")


@pytest.mark.parametrize("side", Side)
def test_the_service_of_a_side_opens_with_its_mapped_fields(side: Side) -> None:
    task = read_text(SMALL).tasks["todo"]
    place = container({"notion": "a", "other": "b"}[side])

    service = task.open(side)
    record = service.create({task.sides[side].mapped.names[0]: "Bread"}, "1")

    assert place.records[record.id].fields == {task.rules.fields[0].attrs[side]: "Bread"}
    place.remove(record.id)


def test_records_are_matched_by_the_others_title_where_the_file_does_not_say() -> None:
    text = (
        WHOLE.replace('match = ["Name", "Due"]\n', "")
        .replace('notion = { connection = "work", box = "left" }', 'notion = { connection = "calendar" }')
        .replace(
            'other = { connection = "calendar", container = "todo" }',
            'other = { connection = "work", box = "x" }',
        )
        .replace('other = "due"', 'other = "title"')
    )

    task = read_text(text).tasks["to-do"]

    assert task.rules.key == ("Due",)
    assert (task.sides.notion.mapped.key, task.sides.other.mapped.key) == ("Due", "title")


def test_records_are_matched_by_the_notion_title_where_the_other_side_has_none() -> None:
    text = WHOLE.replace('match = ["Name", "Due"]\n', "").replace("Due =", "title =")

    assert read_text(text).tasks["to-do"].rules.key == ("title",)


def test_a_task_is_found_by_its_name_in_any_form() -> None:
    assert read_text(WHOLE).task("To Do").name == "to-do"


@pytest.mark.parametrize("name", ["tood", "to/do"])
def test_an_unknown_task_is_answered_with_the_nearest(name: str) -> None:
    with pytest.raises(SettingsError, match=r"/there/sync.toml has no task .*; did you mean 'to-do'\?"):
        read_text(WHOLE).task(name)


def test_a_file_without_tasks_is_fine() -> None:
    assert read_text("") == TaskFile(Path("/there/sync.toml"))


def test_who_named_no_task_file_needs_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SYNC_WORKERS_CONFIG", raising=False)

    assert load_for(Settings()).tasks == {}
    (tmp_path / "sync.toml").write_text(SMALL)
    assert list(load_for(Settings()).tasks) == ["todo"]


def test_who_named_a_task_file_needs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNC_WORKERS_CONFIG", str(tmp_path / "mine.toml"))

    with pytest.raises(SettingsError, match=r"no task file .*mine\.toml"):
        load_for(Settings())


def test_a_file_of_another_editor_is_read(tmp_path: Path) -> None:
    path = tmp_path / "sync.toml"
    path.write_bytes(b"\xef\xbb\xbf" + SMALL.replace("\n", "\r\n").encode())

    assert list(load(path).tasks) == ["todo"]


def test_a_secret_file_is_looked_for_beside_the_task_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("open sesame\n")
    path = tmp_path / "sync.toml"
    path.write_text('[connections.work]\nkind = "vault"\ntoken = { file = "token" }\n')

    settings = load(path, find_kind).connections["work"].settings

    assert isinstance(settings, VaultConnection)
    assert settings.token.reveal() == "open sesame"


@pytest.mark.parametrize("written", ["/run/secrets/token", "~/token"])
def test_a_secret_file_with_a_whole_path_stays_where_it_is(written: str) -> None:
    text = f'[connections.work]\nkind = "vault"\ntoken = {{ file = "{written}" }}\n'

    settings = read_text(text).connections["work"].settings

    assert isinstance(settings, VaultConnection)
    assert settings.token.file == Path(written).expanduser()


def test_no_secret_is_looked_up_before_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VAULT_TOKEN", raising=False)

    task = read_text(WHOLE).tasks["to-do"]

    with pytest.raises(SettingsError, match="VAULT_TOKEN"):
        task.open(Side.NOTION)
