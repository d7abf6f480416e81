"""Reads the project's own sources: what imports what, and how long it is. Never runs any of it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LONGEST_FILE, LONGEST_FUNCTION = 300, 40

LAYERS = (
    (
        *("errors", "fields", "hooks", "markdown", "model", "naming", "record", "references"),
        *("logs", "remarks", "report", "schedule", "scheduling", "secret", "sides", "state", "values"),
    ),
    ("engine", "health", "services", "settings", "state_file", "tracing"),
    ("config", "runs"),
    ("redis",),
    ("ending", "pausing", "public_steps", "task", "service_task", "registry"),
    ("approval", "local", "local_state", "turn", "undoing", "worker", "beat_schedule"),
    ("cli", "monitor", "sandbox", "web", "__init__", "__main__"),
)
"""The parts of the project from the bottom up: a part imports from its own layer and those below."""

RANK = {part: rank for rank, layer in enumerate(LAYERS) for part in layer}

ONLY_IN = {
    "celery": ("sync_workers/worker/", "beat_schedule/"),
    "kombu": ("sync_workers/worker/", "beat_schedule/"),
    "redis": ("sync_workers/redis/", "sync_workers/worker/"),
    "notion_client": ("sync_workers/services/notion/",),
}
"""Libraries and the only places that know them; a lazy import counts, too."""

ENGINE_MAY = {
    *("engine", "fields", "markdown", "model", "record", "references", "remarks", "sides", "state", "values")
}
SHARED_SERVICES = {"base", "budget", "local_budget", "feeds", "hooks", "hook_values", "memory"}


@dataclass(frozen=True)
class Import:
    """One imported module. `late` when only a call or a type checker needs it."""

    name: str
    line: int
    late: bool


def problems(root: Path) -> list[str]:
    """One sentence for each place that breaks the shape of the project."""
    return [
        f"{path.relative_to(root)}{problem}" for path in sources(root) for problem in _in_file(root, path)
    ]


def sources(root: Path) -> list[Path]:
    return sorted(path for top in ("sync_workers", "beat_schedule") for path in (root / top).rglob("*.py"))


def imports(path: Path) -> Iterator[Import]:
    tree = ast.parse(path.read_text())
    late = {id(inner) for node in ast.walk(tree) if _is_late(node) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno, id(node) in late) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # `from package import module` names a module as well as `from module import thing` does.
            base = "." * node.level + (node.module or "")
            yield from (Import(f"{base}.{alias.name}", node.lineno, id(node) in late) for alias in node.names)


def _is_late(node: ast.AST) -> bool:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return True
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def _in_file(root: Path, path: Path) -> Iterator[str]:
    place = path.relative_to(root).as_posix()
    if (length := len(path.read_text().splitlines())) > LONGEST_FILE:
        yield f": {length} lines, more than {LONGEST_FILE}"
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > LONGEST_FUNCTION:
                yield f":{node.lineno}: {node.name} has {length} lines, more than {LONGEST_FUNCTION}"
    for imported in imports(path):
        for problem in _wrong(place, imported):
            yield f":{imported.line}: {problem}"


def _wrong(place: str, imported: Import) -> Iterator[str]:
    library, _, rest = imported.name.partition(".")
    if imported.name.startswith("."):
        yield f"relative import {imported.name}: a reader cannot see from where"
    if library in ONLY_IN and not place.startswith(ONLY_IN[library]):
        yield f"{library} is known only in {' and '.join(ONLY_IN[library])}"
    mine = _part(place)
    theirs = "beat_schedule" if library == "beat_schedule" else rest.split(".")[0]
    is_ours = library in {"sync_workers", "beat_schedule"}
    if mine == "engine":
        if not (theirs in ENGINE_MAY if is_ours else library in sys.stdlib_module_names):
            yield f"the engine is pure, so it cannot know {imported.name}"
    elif is_ours and not imported.late and RANK.get(theirs, -1) > RANK[mine]:
        yield f"{mine} is below {theirs} and cannot import it"
    if mine == "services" and is_ours and theirs == "services":
        yield from _between_services(place, rest)
    if is_ours and library == "beat_schedule" and not place.startswith("beat_schedule/"):
        yield "beat_schedule imports sync_workers, never the reverse"


def _part(place: str) -> str:
    """The part of the project that a file belongs to, as in `LAYERS`."""
    top, _, inner = place.partition("/")
    return top if top == "beat_schedule" else inner.split("/")[0].removesuffix(".py")


def _between_services(place: str, rest: str) -> Iterator[str]:
    mine = place.removeprefix("sync_workers/services/").split("/")[0].removesuffix(".py")
    theirs = rest.split(".")[1] if "." in rest else ""
    is_service = theirs.islower() and theirs not in SHARED_SERVICES
    if is_service and mine not in {theirs, "__init__"}:
        yield f"the service {mine} cannot know the service {theirs}"
