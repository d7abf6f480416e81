from __future__ import annotations

from pathlib import Path

from sync_workers.services.notion.codecs import CODECS
from sync_workers.services.notion.settings import NotionConnection, NotionContainer

PAGE = (Path(__file__).parents[3] / "docs" / "services" / "notion.md").read_text(encoding="utf-8")


def test_the_page_tells_of_every_property_type_and_whether_it_is_written() -> None:
    rows = [line.split("|") for line in PAGE.splitlines() if line.startswith("| `")]
    told = {kind.strip(" `"): row[3].strip() for row in rows for kind in row[1].split(",")}
    assert {kind: told.get(kind) for kind in CODECS} == {
        kind: "yes" if codec.write else "no" for kind, codec in CODECS.items()
    }


def test_the_page_names_every_setting() -> None:
    for name in [*NotionConnection.model_fields, *NotionContainer.model_fields]:
        assert f"{name} = " in PAGE or f"`{name}`" in PAGE, name
