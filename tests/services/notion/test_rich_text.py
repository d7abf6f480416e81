"""A changed text keeps the formatting, links, mentions and equations of all that did not change."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_workers.services.notion.alignment import kept_from
from sync_workers.services.notion.inputs import RefusedValueError
from sync_workers.services.notion.rewriting import plain, rewritten
from sync_workers.services.notion.rich_text import (
    Piece,
    Pieces,
    Style,
    items_of,
    joined,
    mention,
    pieces_of,
    split,
    text_of,
)

ADA = mention("user", {"id": "00000000-0000-4000-8000-00000000000a"})
BOLD, ITALIC, LINK, CODE = Style(bold=True), Style(italic=True), Style(link="https://a.b/c"), Style(code=True)
PRESENT = (
    *(Piece("Ask "), Piece("@Ada", BOLD, ADA), Piece(" about "), Piece("the plan", LINK), Piece(" and ")),
    *(Piece("bold words", BOLD), Piece(".")),
)


def change(present: Pieces, text: str) -> Pieces:
    return rewritten(present, joined([Piece(text)]), plain(present))


def look(pieces: Pieces) -> list[tuple[str, Style]]:
    return [(piece.text, piece.style) for piece in pieces]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # an insertion between two styles has what both have
        ("Ask @Ada about the plan or and bold words.", (3, ("the plan", LINK), (" or and ", Style()))),
        # what is replaced hands its style on, a link too
        ("Ask @Ada about the idea and bold words.", (3, ("the idea", LINK), (" and ", Style()))),
        ("Ask @Ada about the plan and bold texts.", (5, ("bold texts", BOLD), (".", Style()))),
        # within one style it is that style
        ("Ask @Ada about the plan and bold new words.", (5, ("bold new words", BOLD), (".", Style()))),
        # the end of the text
        ("Ask @Ada about the plan and bold words. More", (6, (". More", Style()))),
        ("Well, Ask @Ada about the plan and bold words.", (0, ("Well, Ask ", Style()), ("@Ada", BOLD))),
    ],
)
def test_new_words_look_like_what_they_replace_or_stand_between(text: str, expected: Any) -> None:
    first, *parts = expected

    found = change(PRESENT, text)

    assert text_of(found) == text
    assert look(found)[first : first + len(parts)] == parts
    assert Piece("@Ada", BOLD, ADA) in found


def test_a_mention_whose_own_text_is_changed_becomes_text() -> None:
    found = change(PRESENT, "Ask @Adam about the plan and bold words.")
    assert all(piece.atom is None for piece in found)
    assert look(found)[:3] == [("Ask ", Style()), ("@Ada", BOLD), ("m about ", Style())]


@pytest.mark.parametrize("style", [LINK, CODE])
def test_what_is_written_behind_a_link_or_code_is_none(style: Style) -> None:
    found = change((Piece("see "), Piece("docs", style)), "see docs now")
    assert look(found) == [("see ", Style()), ("docs", style), (" now", Style())]


def test_a_text_that_is_emptied_and_one_that_was_empty() -> None:
    assert items_of(change(PRESENT, "")) == []
    assert items_of(change((), "new")) == [{"type": "text", "text": {"content": "new"}}]


def test_all_that_a_page_shows_is_written_back_as_it_is() -> None:
    annotations = {"bold": True, "italic": False, "color": "red_background"}
    shown = [
        {
            "type": "text",
            "text": {"content": "a", "link": {"url": "https://a.b"}},
            "annotations": annotations,
            "plain_text": "a",
        },
        {"type": "equation", "equation": {"expression": "x^2"}, "annotations": {}, "plain_text": "x^2"},
        {
            "type": "mention",
            "mention": {"type": "date", "date": {"start": "2026-01-01", "end": None, "time_zone": None}},
            "plain_text": "2026-01-01",
        },
        {
            "type": "mention",
            "mention": {"type": "link_preview", "link_preview": {"url": "https://c.d"}},
            "plain_text": "https://c.d",
            "href": "https://c.d",
        },
    ]
    assert items_of(pieces_of(shown)) == [
        {
            "type": "text",
            "text": {"content": "a", "link": {"url": "https://a.b"}},
            "annotations": {"bold": True, "color": "red_background"},
        },
        {"type": "equation", "equation": {"expression": "x^2"}},
        {"type": "mention", "mention": {"type": "date", "date": {"start": "2026-01-01"}}},
        {"type": "text", "text": {"content": "https://c.d", "link": {"url": "https://c.d"}}},
    ]


STYLES = st.sampled_from([Style(), BOLD, ITALIC, LINK, CODE, Style(bold=True, color="red")])
WORDS = st.text(st.sampled_from("ab \n.🚀"), min_size=1, max_size=12)
ATOMS = st.builds(
    Piece, st.sampled_from(["@Ada", "x^2"]), st.sampled_from([Style(), BOLD]), st.sampled_from([ADA, "{}"])
)
PIECES = st.lists(st.builds(Piece, WORDS, STYLES) | ATOMS, max_size=8).map(joined)


@given(PIECES, st.text(st.sampled_from("ab \n.🚀@x"), max_size=40))
def test_the_result_reads_as_the_new_text_and_what_stayed_keeps_its_formatting(
    present: Pieces, text: str
) -> None:
    found = change(present, text)

    assert text_of(found) == text
    before = [piece.style for piece in present for _ in piece.text]
    after = [piece.style for piece in found for _ in piece.text]
    kept = kept_from(text_of(present), text)
    assert all(after[to] == before[source] for to, source in enumerate(kept) if source >= 0)


@given(PIECES)
def test_the_same_text_is_the_same_rich_text(present: Pieces) -> None:
    assert change(present, text_of(present)) == present


@given(PIECES, WORDS, st.integers(0, 8))
def test_mentions_and_equations_stay_whole_wherever_something_is_inserted(
    present: Pieces, words: str, place: int
) -> None:
    place = min(place, len(present))
    text = f"{text_of(present[:place])} {words} {text_of(present[place:])}"

    found = change(present, text)

    def atoms(pieces: Pieces) -> list[Piece]:
        return [piece for piece in pieces if piece.atom is not None]

    assert atoms(found) == atoms(present)


@given(st.text(), st.text())
def test_what_is_kept_is_the_same_character_in_the_same_order(old: str, new: str) -> None:
    kept = [(source, sign) for source, sign in zip(kept_from(old, new), new, strict=True) if source >= 0]
    assert all(old[source] == sign for source, sign in kept)
    assert [source for source, _ in kept] == sorted({source for source, _ in kept})


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60).map(lambda text: text * 200))
def test_long_text_is_split_and_never_cut(text: str) -> None:
    parts = list(split(text))
    assert "".join(parts) == text
    assert all(0 < len(part.encode("utf-16-le")) // 2 <= 2000 for part in parts)


def test_more_parts_than_a_request_may_have_are_refused_and_not_cut() -> None:
    striped = [Piece("a", BOLD if number % 2 else Style()) for number in range(101)]
    assert len(items_of(striped[:100])) == 100
    with pytest.raises(RefusedValueError, match="formatting"):
        items_of(striped)


def test_a_long_text_of_one_word_over_and_over_is_compared_in_a_blink() -> None:
    old, new = "a b " * 10_000, "b a a " * 9_000
    assert text_of(change((Piece(old, BOLD),), new)) == new
