"""PostgreSQL's times beyond Python's years: "infinity", years before Christ and after 9999.

The driver refuses them with an error that fails the whole listing; here they come as their text.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.types.datetime import DateLoader, TimestampLoader, TimestamptzLoader


def forgiving(loader: type[Loader]) -> type[Loader]:
    """The loader, with text for what it cannot load."""

    class Forgiving(loader):  # type: ignore[misc, valid-type]  # a class made from its argument
        def load(self, data: Buffer) -> Any:
            try:
                return super().load(data)
            except psycopg.DataError:
                return bytes(data).decode()

    return Forgiving


LOADERS = {
    "date": forgiving(DateLoader),
    "timestamp": forgiving(TimestampLoader),
    "timestamptz": forgiving(TimestamptzLoader),
}


def read_all_times(connection: psycopg.Connection[Any], _record: object) -> None:
    """Register the loaders on a new connection."""
    for name, loader in LOADERS.items():
        connection.adapters.register_loader(name, loader)
