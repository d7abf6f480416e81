"""Options: a value that goes to a field that has some is written as the option that it names. Pure.

Services tell options apart without case, so an option that is there is used as it is spelled. One that is not
there is made or waited for, as the task says, else as the field says.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sync_workers.fields import Field, Kind, NewOptions


class NoOptionError(Exception):
    """The value is no option and cannot become one; the text says why and what to do, without the value."""


def as_options(kept: Field | None, value: Any, wish: NewOptions | None) -> Any:
    """A value of a field with options as that field spells it.

    Raises:
        NoOptionError: one of its names is no option there, and none is to be made.
    """
    if kept is None or kept.kind not in {Kind.CHOICE, Kind.CHOICES}:
        return value
    if isinstance(value, str) and value:
        return _as_option(kept, value, wish)
    if isinstance(value, list | tuple):
        return list(
            dict.fromkeys(_as_option(kept, one, wish) if isinstance(one, str) else one for one in value)
        )
    return value


def is_option(kept: Field, name: str) -> bool:
    return name in kept.options or name.casefold() in _spelled(kept.options)


def why_not(kept: Field, name: str, wish: NewOptions | None) -> str:
    """Why a name is no option and cannot become one; empty when it is, or can."""
    if is_option(kept, name) or (not kept.grows and not kept.options):
        return ""
    if not kept.grows:
        return f"is no option of {kept.name!r}, and none can be added: change it, or add a value map"
    if kept.longest is not None and len(name) > kept.longest:
        return f"is longer than the {kept.longest} characters of an option of {kept.name!r}: shorten it"
    if barred := [sign for sign in kept.barred if sign in name]:
        return f"has a {' or '.join(map(repr, barred))} in it, which no option of {kept.name!r} may have"
    if (wish or kept.new_options) is NewOptions.HOLD:
        return (
            f"is no option of {kept.name!r} yet: add the option there, "
            f'or write new_options = "{NewOptions.CREATE}" to its line in the task file'
        )
    return ""


def _as_option(kept: Field, name: str, wish: NewOptions | None) -> str:
    if why := why_not(kept, name, wish):
        raise NoOptionError(why)
    return name if name in kept.options else _spelled(kept.options).get(name.casefold(), name)


@lru_cache(maxsize=256)
def _spelled(options: tuple[str, ...]) -> Mapping[str, str]:
    return {option.casefold(): option for option in reversed(options)}
