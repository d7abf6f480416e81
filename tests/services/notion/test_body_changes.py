"""The smallest change of a body: carried out as Notion does, it says just what was wanted."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sync_workers.markdown import lines_of, normal
from sync_workers.services.notion.bodies import Body, change, says

LINES = st.lists(st.sampled_from(["a", "b", "ab", "- a", "- b", "# a", "```", "\ta", "a a"]), max_size=8)
# Between lines of a wanted text there may be empty ones, which Notion never shows.
GAPS = st.sampled_from(["\n", "\n\n"])


def carried_out(shown: str, request: dict[str, Any]) -> str:
    """What Notion makes of it; a text that it would not find, or find twice, is a fault of ours."""
    if request["type"] == "insert_content":
        return str(request["insert_content"]["content"])
    (update,) = request["update_content"]["content_updates"]
    old, new = update["old_str"], update["new_str"]
    places = [at for at in range(len(shown)) if shown.startswith(old, at)]
    assert len(places) == 1
    return shown[: places[0]] + str(new) + shown[places[0] + len(old) :]


@given(LINES, LINES, GAPS)
def test_a_change_says_what_was_wanted(before: list[str], after: list[str], gap: str) -> None:
    shown, wanted = "\n".join(before), gap.join(after)
    body = Body(shown)
    if says(body, wanted):
        return
    assert normal(carried_out(shown, change("p", body, wanted))) == normal(wanted)


def test_only_the_lines_around_a_change_are_sent() -> None:
    shown = "\n".join(f"line {number}" for number in range(100))
    request = change("p", Body(shown), shown.replace("line 50", "line fifty"))
    (update,) = request["update_content"]["content_updates"]
    assert lines_of(update["old_str"]) == ["line 49", "line 50", "line 51"]
    assert lines_of(update["new_str"]) == ["line 49", "line fifty", "line 51"]


def test_a_text_that_stands_there_twice_is_sent_with_its_surroundings() -> None:
    shown = "a\nb\na\nb\nc"
    (update,) = change("p", Body(shown), "a\nb\na\nx\nc")["update_content"]["content_updates"]
    assert shown.count(update["old_str"]) == 1
