"""Whether the task file, or a module that it imports, is another one than before."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

SETTLED = 1.0
"""Seconds that a file has to be left alone before it is read: editors write in pieces."""

Looks: TypeAlias = dict[Path, tuple[int, int, int] | None]


@dataclass(slots=True)
class Watch:
    """The files that decide which tasks there are.

    Attributes:
        path: the task file.
        modules: the files of the modules that it imports.
        fingerprint: of what stood in them when they were looked at last.
    """

    path: Path
    modules: tuple[Path, ...] = ()
    fingerprint: str = field(default="", init=False)
    _looked: Looks = field(default_factory=dict, init=False)

    @property
    def files(self) -> tuple[Path, ...]:
        return (self.path, *self.modules)

    def take(self, modules: Iterable[Path] = ()) -> str:
        """Go by what is there now; gives its fingerprint. Before it is read: a later change is seen then."""
        self.modules = tuple(modules)
        self._looked = self._look()
        self.fingerprint = fingerprint(self.files)
        return self.fingerprint

    def learn(self, modules: Iterable[Path]) -> str:
        """These are the modules, as reading has shown; what was known keeps the look it had before."""
        self.modules = tuple(modules)
        self._looked = self._look() | {
            path: self._looked[path] for path in self.files if path in self._looked
        }
        self.fingerprint = fingerprint(self.files)
        return self.fingerprint

    def has_changed(self) -> bool:
        """Whether something else is there since `take`, and was left alone for a moment.

        Costs some microseconds, so that it can be asked before everything.
        """
        now = self._look()
        if now == self._looked:
            return False
        newest = max((look[0] for look in now.values() if look is not None), default=0) / 1e9
        return not 0 <= time.time() - newest < SETTLED

    def _look(self) -> Looks:
        return {path: _stat(path) for path in self.files}


def fingerprint(files: Iterable[Path]) -> str:
    """Of what stands in the files, whoever wrote them and when; short enough to be read aloud."""
    digest = hashlib.sha256()
    for path in files:
        try:
            body = path.read_bytes()
        except OSError:
            body = b""
        digest.update(b"%d:" % len(body) + body)
    return digest.hexdigest()[:8]


def _stat(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()  # follows the links by which Kubernetes swaps a file
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
