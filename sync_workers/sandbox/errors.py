"""What Notion says when it refuses: the error envelope and the sentences of its checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Refusal(Exception):  # noqa: N818  # it is an answer to a request, not a fault of this program
    """An answer with an error envelope.

    Attributes:
        status: the HTTP status.
        code: Notion's word for it.
        additional_data: what Notion adds for programs, or None.
        headers: such as Retry-After.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        additional_data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.additional_data = additional_data
        self.headers = dict(headers or {})

    def envelope(self, request_id: str) -> dict[str, Any]:
        body: dict[str, Any] = {
            "object": "error",
            "status": self.status,
            "code": self.code,
            "message": str(self),
            "request_id": request_id,
        }
        if self.additional_data is not None:
            body["additional_data"] = dict(self.additional_data)
        return body


def invalid(message: str) -> Refusal:
    """The request makes sense to nobody: 400 validation_error."""
    return Refusal(400, "validation_error", message)


def failed(path: str, rule: str, value: Any) -> Refusal:
    """A check of the body failed at a path, in Notion's own wording."""
    return invalid(f"body failed validation: body.{path} should be {rule}, instead was `{value}`.")


def not_found(what: str, object_id: str) -> Refusal:
    """Absent or not shared: Notion never says which."""
    return Refusal(
        404,
        "object_not_found",
        f"Could not find {what} with ID: {object_id}. Make sure the relevant pages and databases are "
        "shared with your integration.",
    )
