"""The docs name everything that a user can meet; settings, keys and commands are tested in tests/config."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from sync_workers import errors
from sync_workers.services import KINDS
from tests.figures import on_page

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


def test_every_error_has_a_row_that_says_what_to_do() -> None:
    page = (DOCS / "errors.md").read_text(encoding="utf-8")
    ours = {
        name
        for name, found in inspect.getmembers(errors, inspect.isclass)
        if issubclass(found, errors.SyncError) and found is not errors.SyncError
    }
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == ours


def test_the_tree_in_errors_names_every_error() -> None:
    ours = {
        name
        for name, found in inspect.getmembers(errors, inspect.isclass)
        if issubclass(found, errors.SyncError)
    }
    assert set(re.findall(r"\b\w+Error\b", errors.__doc__ or "")) >= ours


def test_every_service_has_a_page() -> None:
    assert {page.stem for page in (DOCS / "services").glob("*.md")} == set(KINDS)


def test_the_navigation_leads_to_every_page() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    pages = {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")}
    assert set(re.findall(r"[\w/-]+\.md", navigation)) == pages


def test_links_between_pages_lead_somewhere() -> None:
    for page in [*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "deploy" / "README.md"]:
        for target in re.findall(r"\]\(([^)#:]+\.md)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_page_of_promises_names_every_file_of_rules_and_only_figures_that_are_counted() -> None:
    page = (DOCS / "promises.md").read_text(encoding="utf-8")
    rules = sorted(path.name for path in (ROOT / "tests" / "rules").glob("test_r*.py"))
    assert len(rules) == 10
    assert [name for name in rules if f"tests/rules/{name}`" not in page] == []
    counted = set(re.findall(r'figures\["([^"]+)"\] \+=', _all_tests()))
    assert set(on_page(page)) == counted


def _all_tests() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py"))
