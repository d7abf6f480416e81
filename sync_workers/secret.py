"""`Secret`: where a secret is found, never the secret itself."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator, model_validator

from sync_workers.errors import SettingsError


class Secret(BaseModel):
    """`{ env = "NAME" }` or `{ file = "path" }`; text in the task file itself is refused.

    A relative file starts at the validation context's `folder`, that of the task file.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    env: str | None = None
    file: Path | None = None

    @model_validator(mode="before")
    @classmethod
    def _refuse_text(cls, value: object) -> object:
        if isinstance(value, str):
            msg = 'a secret does not stand in the task file: write { env = "NAME" } or { file = "path" }'
            raise ValueError(msg)  # noqa: TRY004 - pydantic collects ValueErrors only
        return value

    @field_validator("file")
    @classmethod
    def _from_folder(cls, file: Path | None, info: ValidationInfo) -> Path | None:
        folder = (info.context or {}).get("folder")
        return file if file is None or folder is None else Path(folder) / file.expanduser()

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.env is None) == (self.file is None):
            msg = "name exactly one place: env or file"
            raise ValueError(msg)
        return self

    def reveal(self) -> str:
        """The secret, without blanks around it; read anew each time, so that rotation works.

        Raises:
            SettingsError: the variable or file is missing or empty.
        """
        if self.env is not None:
            text, place = os.environ.get(self.env, ""), f"the environment variable {self.env}"
        else:
            place = f"the file {self.file}"
            try:
                text = Path(str(self.file)).expanduser().read_text(encoding="utf-8")
            except OSError as error:
                msg = f"a secret should be in {place}, which cannot be read: {error.strerror}"
                raise SettingsError(msg) from error
        if not text.strip():
            msg = f"a secret should be in {place}, which is not set or empty"
            raise SettingsError(msg)
        return text.strip()

    def fingerprint(self) -> str:
        """A short hash by which a changed secret is noticed and nothing is learned.

        Raises:
            SettingsError: as `reveal`.
        """
        return hashlib.sha256(b"sync-workers:" + self.reveal().encode()).hexdigest()[:16]
