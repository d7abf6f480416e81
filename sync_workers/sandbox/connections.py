"""The open connections of the server, so that one can be closed without an answer."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol


class Connections:
    """Transports by the address of their client; only touched in the server's own loop."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, int], asyncio.Transport] = {}

    def close(self, client: tuple[str, int]) -> None:
        """Close it at once; what was not sent yet is lost."""
        self._open[client].abort()

    def protocol(self) -> type[H11Protocol]:
        """The HTTP protocol class for uvicorn that notes its connections here."""
        opened = self._open

        class Noted(H11Protocol):
            def connection_made(self, transport: Any) -> None:
                opened[transport.get_extra_info("peername")[:2]] = transport
                super().connection_made(transport)

            def connection_lost(self, exc: Exception | None) -> None:
                opened.pop(self.transport.get_extra_info("peername")[:2], None)
                super().connection_lost(exc)

        return Noted
