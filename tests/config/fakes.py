"""A service kind with secrets and nested settings, and a place to find it beside memory."""

from __future__ import annotations

from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from sync_workers.errors import SettingsError
from sync_workers.secret import Secret
from sync_workers.services import ServiceKind, find
from sync_workers.services.base import Mapped
from sync_workers.services.budget import Budget
from sync_workers.services.memory import MemoryService, container


class VaultConnection(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    token: Secret
    spare: Secret | None = None
    address: Secret | str = "here"
    zone: ZoneInfo = ZoneInfo("UTC")
    depth: int = Field(default=1, ge=1, strict=True)


class VaultPlace(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    box: str
    order: Literal["up", "down"] = "up"


def _connect(
    connection: VaultConnection, place: VaultPlace, mapped: Mapped, _budget: Budget
) -> MemoryService:
    connection.token.reveal()
    return MemoryService(container(f"vault {place.box}"), mapped)


VAULT = ServiceKind(VaultConnection, VaultPlace, _connect, title="title")


def find_kind(kind: str) -> ServiceKind:
    if kind == "vault":
        return VAULT
    if kind == "valt":
        raise SettingsError("there is no service 'valt'; did you mean 'vault'?")
    return find(kind)
