"""The data source that a side is: where it is and which properties it has, each looked up once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from sync_workers.errors import AccessError, RejectedError, SettingsError
from sync_workers.services.notion.client import Api
from sync_workers.services.notion.errors import NotShownError
from sync_workers.services.notion.new_options import NewOption
from sync_workers.services.notion.properties import Property, read_properties
from sync_workers.services.notion.settings import NotionContainer


class Source:
    """One data source, for as long as a service lives: one phase."""

    def __init__(self, api: Api, container: NotionContainer) -> None:
        self._api = api
        self._container = container

    @property
    def name(self) -> str:
        """For messages."""
        return f"data source {self.id}"

    @cached_property
    def id(self) -> str:
        """The id of the data source; for a database, of the only one it has."""
        self._api.place = found = self._look_up()
        return found

    def _look_up(self) -> str:
        if self._container.data_source is not None:
            return self._container.data_source
        what = f"database {self._container.database}"
        try:
            database = self._api.get(f"databases/{self._container.database}", what, "database")
        except RejectedError as error:
            raise SettingsError(str(error)) from error
        sources = database.get("data_sources", [])
        if len(sources) != 1:
            listed = ", ".join(f"{source['id']} ({source['name']})" for source in sources) or "none"
            msg = (
                f"{what} has {len(sources)} data sources and must have exactly one: {listed}. "
                "Name one of them as `data_source`"
            )
            raise SettingsError(msg)
        return str(sources[0]["id"])

    def recall(self, source: str, shown: Mapping[str, Any]) -> None:
        """Take over what an earlier look showed."""
        self.forget()
        self.id = self._api.place = source
        self.shown = shown

    def forget(self) -> None:
        """Look anew when it is next needed."""
        for name in ("id", "shown", "properties"):
            self.__dict__.pop(name, None)

    @cached_property
    def shown(self) -> Mapping[str, Any]:
        """What Notion shows of it, as it was looked at first."""
        return self.look()

    @cached_property
    def properties(self) -> dict[str, Property]:
        return read_properties(self.shown)

    def add_option(self, found: Property, name: str) -> None:
        """See `NewOption.add`."""
        NewOption(found, name, self.name).add(self._api, self.id)

    def look(self) -> Mapping[str, Any]:
        """What Notion shows of it now.

        Raises:
            AccessError: it is not there, not shared, or in the trash.
        """
        try:
            shown = self._api.get(f"data_sources/{self.id}", self.name, "data_source")
        except RejectedError as error:
            raise SettingsError(str(error)) from error
        except NotShownError as error:
            msg = f"{error}. If this is the id of a database, write `database` instead of `data_source`"
            raise AccessError(msg) from error
        # Its rows would read as gone, all of them; nobody meant that.
        if shown.get("in_trash"):
            msg = f"{self.name} is in the trash: restore it in Notion, or remove the task"
            raise AccessError(msg)
        return shown
