"""Writes a state to a file as JSON, and reads one, whichever of the two kinds of file it is."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sync_workers.errors import StateError
from sync_workers.state import State, upgraded
from sync_workers.state_file import original
from sync_workers.state_file.pickled import UnreadableError

_DAMAGED = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RecursionError)
"""What the parts of a damaged file raise where they are read."""


def as_json(state: State) -> bytes:
    """The state as JSON that a person can read; see `read`."""
    text = json.dumps(state.model_dump(mode="json"), indent=2, ensure_ascii=False)
    # Half a surrogate pair is no UTF-8, and services have been seen to cut text there. JSON has an escape for
    # it, `\\ud83d`, which happens to be Python's replacement, too.
    return text.encode("utf-8", "backslashreplace") + b"\n"


def write(path: Path, state: State) -> None:
    """Put the state into a file, for the owner's eyes only: the whole of it, or nothing.

    Raises:
        StateError: it cannot be written; what was there before is still there.
    """
    try:
        if path.exists() and not path.is_file():
            raise StateError(f"{path} is no file: name another one")
        number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # made with mode 0600
        try:
            with os.fdopen(number, "wb") as file:
                file.write(as_json(state))
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as error:
        raise StateError(f"{path} cannot be written ({error.strerror}): choose another place") from error


def read(path: Path) -> State:
    """The state in a file: as JSON that `write` wrote, or as a pickle of ultimate-notion.

    Raises:
        StateError: there is none that can be read; the text names no field value.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise StateError(f"{path} cannot be read ({error.strerror})") from error
    try:
        # No operation of a pickle is written as a brace that opens.
        is_json = data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{"
        return _from_json(data) if is_json else original.state_of(data)
    except UnreadableError as error:
        raise StateError(
            f"{path} cannot be imported: {error}. Nothing was changed; take what `sync-workers state export` "
            "wrote, or a state file of ultimate-notion"
        ) from None


def _from_json(data: bytes) -> State:
    try:
        raw = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:  # its text may quote the file
        raise UnreadableError(f"it is no JSON ({type(error).__name__})") from None
    if not isinstance(raw, dict) or "ids" not in raw:
        raise UnreadableError("it is JSON, but no exported state")
    raw = _known(raw)
    try:
        return State.model_validate(raw)
    except ValidationError as error:
        part = error.errors(include_url=False, include_context=False, include_input=False)[0]["loc"][0]
        raise UnreadableError(f"its part {part!r} is damaged") from None
    except _DAMAGED as error:
        raise UnreadableError(f"it is damaged ({type(error).__name__})") from None


def _known(raw: dict[str, Any]) -> dict[str, Any]:
    """The same of this version; what a newer one may have written is refused: half of a state is none."""
    if "version" not in raw:
        raise UnreadableError("it names no version")
    try:
        raw = upgraded(raw)
    except ValueError as error:
        raise UnreadableError(str(error)) from None
    unknown = sorted(set(raw) - set(State.model_fields))
    if unknown:
        raise UnreadableError(f"{len(unknown)} part(s) of it are not known here: upgrade sync-workers")
    return raw
