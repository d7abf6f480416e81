"""Which Markdown texts are the same to Notion, and which never are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_workers.markdown import lines_of, normal, normal_lines

SAME = [
    ("a\n\nb\n", "a\nb"),
    ("a\r\nb", "a\nb"),
    ("* a\n+ b", "- a\n- b"),
    ("* [X] a", "- [x] a"),
    ("7. a\n9) b", "1. a\n2. b"),
    ("###### a", "#### a"),
    ("***\n___", "---\n---"),
    ("__a__ _b_", "**a** *b*"),
    ("5 $ and [x] < y", r"5 \$ and \[x\] \< y"),
    ("- a\n  - b\n    - c", "- a\n\t- b\n\t- c"),
    ("see https://example.com now", "see [https://example.com](https://example.com) now"),
    ("a<br/>b", "a<br>b"),
    ("a  ", "a"),
]
DIFFERENT = [
    ("*a*", r"\*a\*"),
    ("**a**", "*a*"),
    ("a b", "ab"),
    ("# a", "## a"),
    ("- a", "1. a"),
    ("- [ ] a", "- [x] a"),
    ("`*a*`", "*a*"),
    ("`_a_`", "`*a*`"),
    ("- a\n- b", "- a\n\t- b"),
    ("a\nb", "a b"),
    ("a\nb", "a<br>b"),
    ("[a](https://example.com/1)", "[a](https://example.com/2)"),
    ("```\na\n\nb\n```", "```\na\nb\n```"),
    ("```\n  a\n```", "```\na\n```"),
    ("```\n\ta\n```", "```\na\n```"),
    ("```\n* a\n```", "```\n- a\n```"),
    ("<empty-block/>", ""),
]


@pytest.mark.parametrize(("one", "another"), SAME)
def test_these_are_the_same(one: str, another: str) -> None:
    assert normal(one) == normal(another)


@pytest.mark.parametrize(("one", "another"), DIFFERENT)
def test_these_are_not(one: str, another: str) -> None:
    assert normal(one) != normal(another)


@given(st.text(alphabet="ab \t\n*_-`#>[]()~\\$1.", max_size=60))
def test_every_text_has_a_normal_form_line_by_line(text: str) -> None:
    assert normal(text).split("\n") == (normal_lines(lines_of(text)) or [""])
