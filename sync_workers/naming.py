"""Names: how a task's name is brought to its one form, and which valid name is nearest to a wrong one."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def task_name(text: str) -> str:
    """The name in the form that Redis keys, logs and commands carry: `Todo list` is `todo-list`.

    Raises:
        ValueError: no name can be made of it.
    """
    name = re.sub(r"\s", "-", text.strip().lower())
    if not _NAME.fullmatch(name):
        msg = (
            f"{text!r} is no name for a task: take up to 64 of a-z, 0-9, - and _, "
            "beginning with a letter or digit"
        )
        raise ValueError(msg)
    return name


_TENANT = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}|")


def tenant_name(text: str) -> str:
    """The text, if a tenant can be called so; empty for none.

    Raises:
        ValueError: it cannot: the names of queues are made of it.
    """
    if not _TENANT.fullmatch(text):
        raise ValueError("should be up to 64 of a-z, 0-9, - and _, beginning with a letter or digit")
    return text


def nearest(wrong: str, valid: Iterable[str]) -> str | None:
    """The valid name that was probably meant, however it is capitalised; None where none is near."""
    by_lower = {name.lower(): name for name in valid}
    near = difflib.get_close_matches(wrong.lower(), by_lower, n=1)
    return by_lower[near[0]] if near else None


def hint(wrong: str, valid: Iterable[str]) -> str:
    """The end of a sentence about a wrong name: the nearest valid one, else all if they are few."""
    names = sorted(valid)
    near = nearest(wrong, names)
    if near is not None:
        return f"; did you mean {near!r}?"
    if not names:
        return "; there is none"
    return f"; there is {', '.join(names)}" if len(names) <= MOST_LISTED else ""


MOST_LISTED = 20
"""More valid names than this are not listed in a message."""
