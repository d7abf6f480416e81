"""Forms with files (multipart/form-data): from the bytes of a request to its parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser

from sync_workers.sandbox.errors import invalid


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a form; a text field has no filename."""

    content: bytes
    filename: str | None = None
    content_type: str | None = None

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")


def is_form(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == "multipart/form-data"


def read_form(content_type: str, body: bytes) -> Mapping[str, Part]:
    """The parts by name.

    Raises:
        Refusal: when it is no such form.
    """
    header = Message()
    header["content-type"] = content_type
    boundary = header.get_param("boundary")
    if not isinstance(boundary, str):
        raise invalid("The multipart form has no boundary.")
    return dict(_parts(body, b"\r\n--" + boundary.encode()))


def _parts(body: bytes, mark: bytes) -> Iterator[tuple[str, Part]]:
    # The first mark stands without the line break before it; the last one ends with two dashes.
    for piece in (b"\r\n" + body).split(mark)[1:]:
        if piece.startswith(b"--"):
            return
        head, found, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        headers = BytesHeaderParser().parsebytes(head)
        name = headers.get_param("name", header="content-disposition")
        if not found or not isinstance(name, str):
            raise invalid("A part of the multipart form has no name.")
        kind = headers.get_content_type() if "content-type" in headers else None
        yield name, Part(content, headers.get_filename(), kind)
    raise invalid("The multipart form ends in the middle.")
