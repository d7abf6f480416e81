from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from sync_workers.services import find
from sync_workers.services.notion import KIND
from sync_workers.services.notion.settings import NotionConnection, NotionContainer, id_of

ID = "9bf087ca-b1ef-4ba6-abe7-6e90707ae830"
BARE = ID.replace("-", "")
VIEW = "38c9ce7b60a481d3a634cd39c69aec0a"


@pytest.mark.parametrize(
    "text",
    [
        ID,
        BARE,
        BARE.upper(),
        f" {ID}\n",
        f"https://www.notion.so/{BARE}",
        f"https://www.notion.so/acme/Tasks-{BARE}?v={VIEW}&pvs=4",
        f"https://app.notion.com/acme/Cafe-Facade-{BARE}#{VIEW}",
        f"https://acme.notion.site/{ID}/",
        f"collection://{ID}",
    ],
)
def test_the_id_is_taken_from_a_link(text: str) -> None:
    assert id_of(text) == ID
    assert NotionContainer(data_source=text).data_source == ID
    assert NotionContainer(database=text).database == ID


@pytest.mark.parametrize(
    "text", ["", "Tasks", "https://www.notion.so/acme/Tasks", f"https://www.notion.so/?v={VIEW}", f"a{BARE}"]
)
def test_a_text_without_an_id_is_a_problem(text: str) -> None:
    with pytest.raises(ValidationError, match="no id of Notion"):
        NotionContainer(data_source=text)


@pytest.mark.parametrize("place", [{}, {"data_source": ID, "database": ID}])
def test_a_container_is_exactly_one_of_the_two(place: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="exactly one"):
        NotionContainer(**place)


@pytest.mark.parametrize(
    "wrong",
    [
        {"token": "ntn_planted"},
        {"token": {"env": "X"}, "url": "api.notion.com"},
        {"token": {"env": "X"}, "timeout": 0},
        {"token": {"env": "X"}, "tokn": 1},
        {},
    ],
)
def test_a_wrong_connection_is_refused_without_showing_the_secret(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        NotionConnection(**wrong)
    assert all("ntn_planted" not in problem["msg"] for problem in caught.value.errors())


def test_the_real_notion_is_the_default() -> None:
    connection = NotionConnection.model_validate({"token": {"env": "NOTION_TOKEN"}})
    assert str(connection.url) == "https://api.notion.com/"
    assert connection.timeout == 60


def test_the_service_is_found_by_its_kind() -> None:
    assert find("notion") is KIND
