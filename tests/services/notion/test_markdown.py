"""Inline Markdown: what it says of a rich text, and that nothing is lost on the way there and back."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sync_workers.services.notion.markdown_in import parsed
from sync_workers.services.notion.markdown_out import rendered
from sync_workers.services.notion.rewriting import from_markdown, rewritten
from sync_workers.services.notion.rich_text import Piece, Pieces, Style, atom, joined, mention, text_of

ID = "00000000-0000-4000-8000-00000000000a"
ADA = mention("user", {"id": ID})
BOLD, ITALIC, STRUCK, CODE = Style(bold=True), Style(italic=True), Style(strikethrough=True), Style(code=True)
LINK = Style(link="https://a.b/c?d=e&f")
SQUARE = atom("equation", {"expression": "x^2"})


@pytest.mark.parametrize(
    ("markdown", "pieces"),
    [
        ("plain, snake_case, 2 * 3 and $5", [Piece("plain, snake_case, 2 * 3 and $5")]),
        ("a **b** c", [Piece("a "), Piece("b", BOLD), Piece(" c")]),
        (
            "*a* ~~b~~ `c*`",
            [Piece("a", ITALIC), Piece(" "), Piece("b", STRUCK), Piece(" "), Piece("c*", CODE)],
        ),
        ("***a** b*", [Piece("a", Style(bold=True, italic=True)), Piece(" b", ITALIC)]),
        ("[a](https://a.b/c?d=e&f)", [Piece("a", LINK)]),
        ("<https://a.b>", [Piece("https://a.b", Style(link="https://a.b"))]),
        ("is $x^2$ big", [Piece("is "), Piece("x^2", Style(), SQUARE), Piece(" big")]),
        ("$`x^2`$", [Piece("x^2", Style(), SQUARE)]),
        ("between $5 and $6", [Piece("between $5 and $6")]),
        (rf"\*a\* [@Ada](notion://user/{ID})", [Piece("*a* "), Piece("@Ada", Style(), ADA)]),
        ("[x](notion://user/nobody)", [Piece("x", Style(link="notion://user/nobody"))]),
        ("- a\n# b &amp; <b>", [Piece("- a\n# b & <b>")]),
        ("a\\\nb", [Piece("a\nb")]),
        ("**open [and](", [Piece("**open [and](")]),
    ],
)
def test_markdown_is_read_as_everyone_reads_it(markdown: str, pieces: list[Piece]) -> None:
    assert parsed(markdown) == joined(pieces)


@pytest.mark.parametrize(
    ("pieces", "markdown"),
    [
        ([Piece("snake_case costs $5, a - b")], "snake_case costs $5, a - b"),
        ([Piece("between $5 and $6")], r"between \$5 and \$6"),
        ([Piece("2*3")], r"2\*3"),
        ([Piece("a "), Piece("b ", BOLD), Piece("c")], "a **b** c"),
        ([Piece("a", BOLD), Piece("b", Style(bold=True, italic=True))], "**a*b***"),
        (
            [Piece("a ", LINK), Piece("b", Style(bold=True, link=LINK.link))],
            "[a **b**](https://a.b/c?d=e\\&f)",
        ),
        ([Piece("`", CODE)], "`` ` ``"),
        ([Piece("@Ada", BOLD, ADA)], f"**[@Ada](notion://user/{ID})**"),
        ([Piece("x^2", Style(), SQUARE)], "$x^2$"),
        ([Piece("red", Style(color="red", underline=True))], "red"),
    ],
)
def test_markdown_is_written_as_a_person_would(pieces: list[Piece], markdown: str) -> None:
    assert rendered(joined(pieces)) == markdown


SIGNS = st.text(st.sampled_from("ab *_~`$[]()<>&!\\\n#;1.é🚀\u00a0"), min_size=1, max_size=6)
STYLES = st.builds(
    Style,
    bold=st.booleans(),
    italic=st.booleans(),
    strikethrough=st.booleans(),
    underline=st.booleans(),
    code=st.sampled_from([False, False, True]),
    color=st.sampled_from(["default", "red"]),
    link=st.sampled_from([None, None, "https://a.b/(c) d\\&amp;", "x"]),
)
LOOKS = st.builds(Style, bold=st.booleans(), color=st.sampled_from(["default", "red"]))
ATOMS = st.one_of(
    st.builds(Piece, SIGNS, LOOKS, st.just(ADA)),
    st.builds(Piece, SIGNS, LOOKS, st.just(mention("date", {"start": "2026-01-01", "end": "2026-01-02"}))),
    st.builds(Piece, SIGNS, LOOKS, st.just(mention("custom_emoji", {"id": ID}))),
    SIGNS.map(lambda text: Piece(text, Style(), atom("equation", {"expression": text}))),
)
PIECES = st.lists(st.builds(Piece, SIGNS, STYLES) | ATOMS, max_size=6).map(joined)


def visible(pieces: Pieces) -> list[tuple[str, bool, bool, bool]]:
    """Each character that is no blank with the marks that Markdown has."""
    return [
        (sign, piece.style.bold, piece.style.italic, piece.style.strikethrough)
        for piece in pieces
        for sign in piece.text
        if not sign.isspace()
    ]


@given(PIECES)
@example(joined([Piece("a", BOLD), Piece("b", Style(bold=True, italic=True)), Piece("c", ITALIC)]))
def test_all_that_markdown_can_say_comes_back(pieces: Pieces) -> None:
    back = parsed(rendered(pieces))

    assert text_of(back) == text_of(pieces)
    assert visible(back) == visible(pieces)
    sayable = {piece.atom for piece in pieces if piece.atom is not None and "custom" not in piece.atom}
    assert {piece.atom for piece in back} - {None} >= {said for said in sayable if "expression" not in said}


@given(
    st.text(st.sampled_from("ab *_~`$[]()<>&!\\\n-#;1é🚀"), max_size=30)
    | SIGNS.map(lambda sign: f"**{sign}**")
)
def test_after_one_pass_markdown_does_not_change_any_more(text: str) -> None:
    once = rendered(parsed(text))
    assert rendered(parsed(once)) == once
    assert parsed(once) == parsed(rendered(parsed(once)))


@given(PIECES, SIGNS)
def test_an_edit_keeps_what_markdown_cannot_say(present: Pieces, words: str) -> None:
    markdown = rendered(present)
    assert rewritten(present, parsed(markdown), parsed(markdown), from_markdown) == present

    edited = rewritten(present, (*parsed(markdown), Piece(f" {words}")), parsed(markdown), from_markdown)

    assert text_of(edited) == f"{text_of(present)} {words}"
    before = [(piece.style.color, piece.style.underline) for piece in present for _ in piece.text]
    after = [(piece.style.color, piece.style.underline) for piece in edited for _ in piece.text]
    assert after[: len(before)] == before


def test_formatting_that_is_edited_on_the_other_side_crosses_and_the_colour_stays() -> None:
    present = joined([Piece("all ", Style(color="red")), Piece("of it", Style(color="red", underline=True))])

    found = rewritten(present, parsed("all **of** it"), parsed(rendered(present)), from_markdown)

    assert found == (
        Piece("all ", Style(color="red")),
        Piece("of", Style(bold=True, color="red", underline=True)),
        Piece(" it", Style(color="red", underline=True)),
    )
