"""People by e-mail address or name, where the other side does not know Notion's ids.

Nobody is guessed: an address or name that is not there, or there twice, is refused; a person whose address
Notion does not show makes the field unread on that row, so that it stays as it is on both sides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from sync_workers.errors import AccessError
from sync_workers.fields import ValueForm
from sync_workers.services.base import Kind
from sync_workers.services.notion import inputs
from sync_workers.services.notion.codecs import Codec
from sync_workers.services.notion.inputs import RefusedValueError

User = Mapping[str, Any]

_CAPABILITY = (
    "give the integration the capability to read user information including email addresses under "
    "https://www.notion.so/profile/integrations"
)


class People:
    """Who is in the workspace; asked for once, and only when it is needed."""

    def __init__(self, ask: Callable[[], list[dict[str, Any]]]) -> None:
        self._ask = ask

    def codec(self, form: str, *, is_list: bool, writable: bool) -> Codec:
        """How people are read and written in a form."""

        def read(shown: Any) -> list[str]:
            told = (self._told(user, form) for user in (shown if is_list else [shown]))
            return [text for text in told if text is not None]

        def rewrite(value: Any, shown: Sequence[User]) -> list[dict[str, str]]:
            return [self._found(inputs.text(item), form, shown) for item in inputs.items(value)]

        def write(value: Any) -> list[dict[str, str]]:
            return rewrite(value, ())

        if not writable:
            return Codec(Kind.CHOICES, read)
        return Codec(Kind.CHOICES, read, write, rewrite=rewrite, needs_page=True)

    def _told(self, user: User, form: str) -> str | None:
        """What a person is called; None for what is no person and cannot have an address."""
        told = _called(user, form)
        if told is None and user.get("object") == "user":
            user = self._by_id.get(user["id"], user)
            told = _called(user, form)
        if told is not None:
            return told
        if form == ValueForm.EMAIL and user.get("type") == "bot":
            return None
        raise UnknownPersonError(form)

    def _found(self, told: str, form: str, shown: Sequence[User]) -> dict[str, str]:
        """The one of that name, first among those that are on the page."""
        for users in (shown, self._everyone):
            found = {user["id"]: user for user in users if _is(user, told, form)}
            if len(found) == 1:
                ((user_id, user),) = found.items()
                return {"object": user["object"], "id": user_id}
            if found:
                msg = f'names a person of whom there are {len(found)} in Notion: write form = "email"'
                raise RefusedValueError(msg)
        what = "e-mail address" if form == ValueForm.EMAIL else "name"
        msg = (
            f"names a person that is not in Notion by that {what}: invite them to the workspace, map the "
            f"value with `values`, or, if they are there, {_CAPABILITY}"
        )
        raise RefusedValueError(msg)

    @cached_property
    def _everyone(self) -> list[dict[str, Any]]:
        try:
            return self._ask()
        except AccessError as error:
            msg = f"the integration may not read who is in the workspace: {_CAPABILITY}"
            raise AccessError(msg) from error

    @cached_property
    def _by_id(self) -> dict[str, dict[str, Any]]:
        return {user["id"]: user for user in self._everyone}


class UnknownPersonError(ValueError):
    """A person whose address or name Notion does not show."""

    def __init__(self, form: str) -> None:
        what = "e-mail address" if form == ValueForm.EMAIL else "name"
        super().__init__(
            f'names someone whose {what} Notion does not show: {_CAPABILITY}, or write form = "id"'
        )


def _called(user: User, form: str) -> str | None:
    if form == ValueForm.EMAIL:
        return ((user.get("person") or {}).get("email") or "").lower() or None
    return user.get("name") or None


def _is(user: User, told: str, form: str) -> bool:
    called = _called(user, form)
    return called is not None and called.casefold() == told.strip().casefold()
