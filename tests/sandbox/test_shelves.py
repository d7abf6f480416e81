"""Lists that a client can only read."""

from __future__ import annotations

from sync_workers.sandbox.notion import Notion
from tests.sandbox.conftest import Plain


def test_custom_emojis_are_listed_and_found_by_name(plain: Plain, notion: Notion) -> None:
    ids = [notion.add_emoji(name) for name in ("bread", "butter")]
    first = plain.get("custom_emojis", page_size=1)
    rest = plain.get("custom_emojis", start_cursor=first["next_cursor"])
    assert [emoji["id"] for emoji in first["results"] + rest["results"]] == ids
    (found,) = plain.get("custom_emojis", name="butter")["results"]
    assert (found["id"], found.keys()) == (ids[1], {"id", "name", "url"})


def test_templates_are_listed_by_a_part_of_their_name(plain: Plain, notion: Notion, tasks: str) -> None:
    notion.add_template(tasks, "Weekly shopping", is_default=True)
    notion.add_template(tasks, "Bug")
    everything = plain.get(f"data_sources/{tasks}/templates")
    assert [(t["name"], t["is_default"]) for t in everything["templates"]] == [
        ("Weekly shopping", True),
        ("Bug", False),
    ]
    found = plain.get(f"data_sources/{tasks}/templates", name="SHOP")
    assert [t["name"] for t in found["templates"]] == ["Weekly shopping"]
    assert (found["has_more"], found["next_cursor"]) == (False, None)


def test_there_are_no_meeting_notes(plain: Plain) -> None:
    answer = plain.post("blocks/meeting_notes/query", limit=10)
    assert (answer["results"], answer["has_more"]) == ([], False)
