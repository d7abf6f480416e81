"""Adds an option to a status property: the one kind of option that a write to a page does not add."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sync_workers.errors import AccessError, LaterError, MovedError, RejectedError, UnknownOutcomeError
from sync_workers.services.notion.client import Api
from sync_workers.services.notion.properties import Property


class NewOption:
    """One option that is to be there afterwards, whoever adds it.

    A request names all options that there are, and Notion takes away those that it does not name. So the data
    source is looked at right before, while no other worker of ours writes to it.
    """

    def __init__(self, found: Property, name: str, what: str) -> None:
        self._property = found
        self._name = name
        self._what = f"property {found.name!r} of {what}"
        self._asks = False

    def add(self, api: Api, source_id: str) -> None:
        """Add it if it is not there.

        Raises:
            MovedError: the property is not what it was.
            RejectedError: the connection may not change the data source, or Notion takes no more options.
            LaterError: it was not there afterwards.
        """
        try:
            shown = api.change_source(source_id, self._what, self._body)
        except AccessError as error:
            if not self._asks:
                raise
            msg = (
                f"{self._what} needs a new option and the connection may not add it: give it the capability "
                'to update content, add the option in Notion, or write new_options = "hold" to its line'
            )
            raise RejectedError(msg) from error
        except UnknownOutcomeError:
            shown = api.get(f"data_sources/{source_id}", self._what, "data_source")
        if not self._is_in(self._options(shown)):
            msg = f"{self._what} did not keep a new option: somebody else changed it at the same time"
            raise LaterError(msg)

    def _body(self, shown: Mapping[str, Any]) -> Mapping[str, Any] | None:
        options = self._options(shown)
        if self._is_in(options):
            return None
        self._asks = True
        kept = [{"id": option["id"], "name": option["name"]} for option in options]
        return {"properties": {self._property.id: {"status": {"options": [*kept, {"name": self._name}]}}}}

    def _options(self, shown: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        for column in shown["properties"].values():
            if column["id"] == self._property.id and column["type"] == self._property.type:
                return list(column[column["type"]]["options"])
        msg = f"{self._what} was deleted or changed its type"
        raise MovedError(msg)

    def _is_in(self, options: list[Mapping[str, Any]]) -> bool:
        return self._name.casefold() in {option["name"].casefold() for option in options}
