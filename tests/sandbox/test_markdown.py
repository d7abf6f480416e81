"""A page as Markdown: what is read, the four ways to write, and what is kept meanwhile."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from sync_workers.sandbox.notion import Notion
from tests.sandbox.conftest import Api, title

BODY = """\
# Plan {color="blue"}
First **bold** and *italic*, ~~gone~~, `code`, <span underline="true">under</span>
Line<br>break and \\* \\[no link\\] at $5
- one
\t- two
\t\tdeeper
- three
1. first
2. second
- [ ] open
- [x] done
> said
---
<details>
<summary>Fold</summary>
\tinside
</details>
<callout icon="🎯" color="blue_bg">
\tShip it
\t- by **Friday**
</callout>
```python
print("<not escaped> *")
```
$$
e=mc^2
$$
<table header-row="true">
\t<tr>
\t\t<td>a</td>
\t\t<td>**b**</td>
\t</tr>
</table>
<columns>
\t<column>
\t\tleft
\t</column>
\t<column>
\t\tright
\t</column>
</columns>
<empty-block/>
![A cat](https://example.com/cat.png)
<video src="https://example.com/cat.mp4">A film</video>
[here](https://example.com)
#### Four
### Fold {toggle="true"}
\tunder it
<table_of_contents/>"""
NORMAL = BODY.replace("at $5", "at \\$5")


class Page:
    def __init__(self, http: httpx.Client, page_id: str) -> None:
        self.http, self.id = http, page_id

    def read(self, page_id: str = "") -> dict[str, Any]:
        read: dict[str, Any] = self.http.get(f"/v1/pages/{page_id or self.id}/markdown").json()
        return read

    def write(self, way: str, **asked: Any) -> httpx.Response:
        return self.http.patch(f"/v1/pages/{self.id}/markdown", json={"type": way, way: asked})

    def ids(self) -> list[str]:
        return [b["id"] for b in self.http.get(f"/v1/blocks/{self.id}/children").json()["results"]]


@pytest.fixture
def page(api: Api, notion: Notion) -> Page:
    return Page(api.http, notion.add_page(api.table, {"Task": "Bread"}))


def test_what_is_written_is_read(page: Page) -> None:
    # when
    answer = page.write("replace_content", new_str=BODY).json()
    # then
    assert answer["markdown"] == NORMAL
    read = page.read()
    assert (read["object"], read["id"], read["markdown"]) == ("page_markdown", page.id, NORMAL)
    assert (read["truncated"], read["unknown_block_ids"]) == (False, [])
    # and it is Notion's own form: written back, nothing changes
    ids = page.ids()
    assert page.write("replace_content", new_str=NORMAL).json()["markdown"] == NORMAL
    assert page.ids() == ids


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("a\n\n\nb\n", "a\nb"),
        ("* a\n+ b", "- a\n- b"),
        ("__a__ _b_", "**a** *b*"),
        ("###### six", "#### six"),
        ("7. a\n9. b", "1. a\n2. b"),
        ("| a | b |\n|---|---|\n| c | d |", None),
        ("see https://example.com/x now", "see [https://example.com/x](https://example.com/x) now"),
        ("- a\n  - b", "- a\n\t- b"),
        ("", ""),
    ],
)
def test_other_markdown_is_brought_to_notions_form(page: Page, written: str, read: str | None) -> None:
    shown = page.write("replace_content", new_str=written).json()["markdown"]
    assert read is None or shown == read
    assert page.write("replace_content", new_str=shown).json()["markdown"] == shown


def test_blocks_that_stay_keep_their_ids(page: Page) -> None:
    page.write("replace_content", new_str="\n".join(f"line {number}" for number in range(10)))
    before = page.ids()
    page.write("replace_content", new_str="\n".join(f"line {n}{'X' * (n == 5)}" for n in range(10)))
    assert page.ids() == before


def test_a_text_is_sought_and_replaced(page: Page) -> None:
    page.write("replace_content", new_str="one\ntwo\ntwo")
    updates = [{"old_str": "one", "new_str": "1"}]
    answer = page.write("update_content", content_updates=updates).json()
    assert answer["markdown"] == "1\ntwo\ntwo"
    for old in ("three", "two", "One"):
        refused = page.write("update_content", content_updates=[{"old_str": old, "new_str": ""}])
        assert refused.json()["code"] == "validation_error"
    every = [{"old_str": "two", "new_str": "2", "replace_all_matches": True}]
    assert page.write("update_content", content_updates=every).json()["markdown"] == "1\n2\n2"


def test_the_older_ways_insert_and_replace_a_range(page: Page) -> None:
    page.write("insert_content", content="b")
    page.write("insert_content", content="a", position={"type": "start"})
    page.write("insert_content", content="d", position={"type": "end"})
    page.write("insert_content", content="c", after="a...b")
    assert page.read()["markdown"] == "a\nb\nc\nd"
    answer = page.write("replace_content_range", content="x", content_range="b...c").json()
    assert answer["markdown"] == "a\nx\nd"
    both = page.write("insert_content", content="x", after="a...b", position={"type": "end"})
    assert both.status_code == 400


def test_child_pages_are_deleted_only_when_that_is_allowed(page: Page, notion: Notion) -> None:
    # given
    page.write("replace_content", new_str="above")
    child = {"parent": {"page_id": page.id}, "properties": {"title": title("Child")}}
    child_id = page.http.post("/v1/pages", json=child).json()["id"]
    tag = f'<page url="https://www.notion.so/{child_id.replace("-", "")}">Child</page>'
    assert page.read()["markdown"] == f"above\n{tag}"
    # when, then
    refused = page.write("replace_content", new_str="without").json()
    assert (refused["code"], child_id in refused["message"]) == ("validation_error", True)
    assert page.write("replace_content", new_str=f"{tag}\nbelow").json()["markdown"] == f"{tag}\nbelow"
    page.write("replace_content", new_str="without", allow_deleting_content=True)
    assert notion.store.pages[child_id].in_trash


def test_what_markdown_has_no_form_for_is_unknown_and_lost_when_it_is_not_named(
    page: Page, notion: Notion
) -> None:
    block = notion.bodies.add(page.id, "bookmark", {"url": "https://example.com", "caption": []})
    read = page.read()
    assert 'alt="bookmark"/>' in read["markdown"]
    assert (read["truncated"], read["unknown_block_ids"]) == (False, [])
    page.write("replace_content", new_str=f"{read['markdown']}\nbelow")
    assert block in page.ids()
    page.write("replace_content", new_str="below")
    assert block not in page.ids()


def test_what_cannot_be_loaded_is_named(page: Page, notion: Notion) -> None:
    page.write("replace_content", new_str="one\ntwo\n\tthree")
    two = page.ids()[1]
    notion.bodies.hide(two)
    read = page.read()
    assert read["markdown"].startswith("one\n<unknown url=")
    assert (read["truncated"], read["unknown_block_ids"]) == (True, [two])
    assert page.read(two)["markdown"] == "three"


def test_links_to_uploaded_files_differ_each_time_and_cannot_be_written_back(page: Page) -> None:
    image = {"image": {"file_upload": {"id": "b52b8ed6-e029-4707-a671-832549c09de3"}}}
    page.http.patch(f"/v1/blocks/{page.id}/children", json={"children": [image]})
    read = page.read()["markdown"]
    assert read.startswith("![](https://prod-files-secure.s3.")
    assert page.read()["markdown"] != read
    assert page.write("replace_content", new_str=f"{read}\nbelow").json()["markdown"] == "below"


def test_a_page_is_made_from_markdown(api: Api, notion: Notion) -> None:
    body = {"parent": {"data_source_id": api.table}, "markdown": "# Bread\n- fresh"}
    untitled = api.http.post("/v1/pages", json=body).json()
    named = api.http.post("/v1/pages", json={**body, "properties": {"Task": title("Milk")}}).json()
    assert [row.values["Task"] for row in notion.pages(api.table)] == ["Bread", "Milk"]
    assert Page(api.http, untitled["id"]).read()["markdown"] == "- fresh"
    assert Page(api.http, named["id"]).read()["markdown"] == "# Bread\n- fresh"


def test_a_line_of_any_length_is_kept_and_stays_one_block(page: Page) -> None:
    line = "word " * 1000 + "**" + "bold " * 500 + "end** [" + "label" * 400 + "](https://example.com)"
    assert page.write("replace_content", new_str=line).status_code == 200
    assert page.read()["markdown"] == line
    (block,) = page.http.get(f"/v1/blocks/{page.id}/children").json()["results"]
    lengths = [len(item["plain_text"]) for item in block["paragraph"]["rich_text"]]
    assert max(lengths) <= 2000
    assert len(lengths) > 3


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"type": "x"},
        {"type": "replace_content"},
        {"type": "replace_content", "replace_content": {"new_str": 1}},
        {"type": "update_content", "update_content": {"content_updates": [1]}},
        {"type": "insert_content", "insert_content": {}},
        {"type": "replace_content_range", "replace_content_range": {"content": "", "content_range": "x"}},
    ],
)
def test_a_write_that_makes_no_sense_is_refused(page: Page, body: dict[str, Any]) -> None:
    answer = page.http.patch(f"/v1/pages/{page.id}/markdown", json=body)
    assert answer.json()["code"] == "validation_error"


def test_only_pages_have_markdown(page: Page, notion: Notion, tasks: str) -> None:
    missing = "00000000-0000-4000-8000-00000000dead"
    assert page.http.get(f"/v1/pages/{missing}/markdown").status_code == 404
    database = notion.store.data_sources[tasks].database_id
    assert page.http.get(f"/v1/pages/{database}/markdown").status_code == 400
    notion.trash_page(page.id)
    assert page.write("replace_content", new_str="x").status_code == 400
