"""`Hooks`: what a subclass of `SyncTask` says about its two sides."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime
from typing import Any

from sync_workers.model import ID


class Hooks(ABC):
    """The hooks of both sides. Objects are whatever the listing hooks return; only the hooks look into them.

    A hook that raises for one object makes that record fail, and the rest goes on. Only what a
    listing hook raises ends the run, before anything was changed.
    """

    @abstractmethod
    def get_notion_objects(self) -> list[Any]:
        """All Notion objects to sync: every one of them, or raise; a part would look like deletions."""

    @abstractmethod
    def get_other_objects(self) -> list[Any]:
        """All objects of the other service to sync: every one of them, or raise."""

    @abstractmethod
    def notion_timestamp(self, obj: Any) -> datetime:
        """When the Notion object last changed; decides conflicts in mode `newer`."""

    @abstractmethod
    def other_timestamp(self, obj: Any) -> datetime:
        """When the other object last changed; decides conflicts in mode `newer`."""

    @abstractmethod
    def notion_id(self, obj: Any) -> ID:
        """The id of the Notion object; never changes."""

    @abstractmethod
    def other_id(self, obj: Any) -> ID:
        """The id of the other object; never changes."""

    @abstractmethod
    def notion_hash(self, obj: Any) -> str:
        """The key by which a Notion object without a link is matched, such as its title."""

    @abstractmethod
    def other_hash(self, obj: Any) -> str:
        """The key by which an other object without a link is matched."""

    @abstractmethod
    def notion_to_dict(self, obj: Any) -> dict[str, Any]:
        """The values of the object by Notion attribute name, all of `attr_map` among them."""

    @abstractmethod
    def other_to_dict(self, obj: Any) -> dict[str, Any]:
        """The values of the object by other attribute name, all of `attr_map` among them."""

    @abstractmethod
    def notion_update_obj(self, obj: Any, attr: str, value: Any) -> None:
        """Set one attribute of the Notion object."""

    @abstractmethod
    def other_update_obj(self, obj: Any, attr: str, value: Any) -> None:
        """Set one attribute of the other object."""

    @abstractmethod
    def notion_delete_obj(self, obj: Any) -> None:
        """Delete the Notion object."""

    @abstractmethod
    def other_delete_obj(self, obj: Any) -> None:
        """Delete the other object."""

    @abstractmethod
    def notion_create_obj(self, **kwargs: Any) -> Any:
        """Make a Notion object from values by Notion attribute name and return it."""

    @abstractmethod
    def other_create_obj(self, **kwargs: Any) -> Any:
        """Make an other object from values by other attribute name and return it."""

    def notion_update_attrs(self, obj: Any, changes: dict[str, Any]) -> None:
        """Set all changed attributes; override it to make that one write."""
        for attr, value in changes.items():
            self.notion_update_obj(obj, attr, value)

    def other_update_attrs(self, obj: Any, changes: dict[str, Any]) -> None:
        """Set all changed attributes; override it to make that one write."""
        for attr, value in changes.items():
            self.other_update_obj(obj, attr, value)
