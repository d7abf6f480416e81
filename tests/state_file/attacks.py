"""Pickles that run something when Python's own `pickle` reads them: each touches a file, as its proof.

Run as a program it reads the pickles of a folder, by `pickle` or as the product does, and says what happened.
"""

from __future__ import annotations

import copyreg
import functools
import json
import operator
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

CODE = 240
"""A number of the extension registry, which `register` gives to os.system."""


class Call:
    """An object that is pickled as a call."""

    def __init__(self, function: Callable[..., Any], *args: Any) -> None:
        self.function, self.args = function, args

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.function, self.args


def attacks(legitimate: Callable[[Any], Any], touched: Callable[[str], Path]) -> Mapping[str, bytes]:
    """By name. `legitimate` makes a state with a value in it, `touched` says which file an attack touches."""
    made: dict[str, bytes] = {}
    for name, call in _CALLS.items():
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            full = f"{name}-{protocol}"
            made[full] = pickle.dumps(call(str(touched(full))), protocol)
    for place, put in _PLACES.items():
        full = f"within-{place}"
        made[full] = pickle.dumps(legitimate(put(_CALLS["system"](str(touched(full))))))
    for name, operations in _RAW.items():
        made[name] = operations.replace(b"FILE", str(touched(name)).encode())
    dropped = pickle.dumps(legitimate(1), 0)
    made["dropped"] = b"cos\nsystem\n(Vtouch %s\ntR0" % str(touched("dropped")).encode() + dropped
    return made


def _touch(path: str) -> str:
    return f"touch '{path}'"


_CALLS: Mapping[str, Callable[[str], Any]] = {
    "system": lambda path: Call(os.system, _touch(path)),
    "eval": lambda path: Call(eval, f"open({path!r}, 'w').close()"),
    "exec": lambda path: Call(exec, f"open({path!r}, 'w').close()"),
    "open": lambda path: Call(open, path, "w"),
    "popen": lambda path: Call(subprocess.Popen, ["touch", path]),
    "getattr": lambda path: Call(_Applied(getattr, Path, "touch"), Path(path)),
    "partial": lambda path: Call(functools.partial(os.system, _touch(path))),
    "methodcaller": lambda path: Call(operator.methodcaller("touch"), Path(path)),
    "nested": lambda path: Call(list, Call(map, os.system, [_touch(path)])),
    "reconstructor": lambda path: Call(
        copyreg._reconstructor,  # type: ignore[attr-defined]
        subprocess.Popen,
        subprocess.Popen,
        ["touch", path],
    ),
    "bytes": lambda path: Call(eval, f"open({path!r}, 'w').close()".encode()),
}

_PLACES: Mapping[str, Callable[[Any], Any]] = {
    "a value": lambda call: call,
    "a list": lambda call: [1, [call]],
    "a dict": lambda call: {"a": call},
    "a key": lambda call: {(1, call): 1},
    "a set": lambda call: frozenset({call}),
}

_RAW: Mapping[str, bytes] = {
    "instance": b"(Vtouch FILE\nios\nsystem\n.",
    "object": b"(cos\nsystem\nVtouch FILE\no.",
    "registry": b"\x80\x02\x82" + bytes([CODE]) + b"(Vtouch FILE\ntR.",
    "dotted": b"\x80\x04Vos\nVsystem.__call__\n\x93(Vtouch FILE\ntR.",
    "dotted-class": b"\x80\x04Vpathlib\nVPath.touch\n\x93(cpathlib\nPath\n(VFILE\ntRtR.",
    # The words are remembered first, in the wrong order, and one of them a second time.
    "memo": b"\x80\x04Vdatetime\np0\n0Vsystem\np1\n0Vos\np0\n0"
    b"g0\ng1\n\x93p5\n0(Vtouch FILE\ntp6\n0g5\ng6\nR.",
    "memo-class": b"\x80\x04cdatetime\ndate\np0\n0cos\nsystem\np0\n0g0\n(Vtouch FILE\ntR.",
    "reduced-callable": b"cbuiltins\ngetattr\n(cpathlib\nPath\nVtouch\ntR(cpathlib\nPath\n(VFILE\ntRtR.",
    "old-names": b"c__builtin__\neval\n(Vopen('FILE','w').close()\ntR.",
}


class _Applied:
    """Stands for the result of a call, as a callable."""

    def __init__(self, function: Callable[..., Any], *args: Any) -> None:
        self.function, self.args = function, args

    def __call__(self, *_args: Any) -> None:
        raise AssertionError

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.function, self.args


def register() -> None:
    """Give os.system a number, as used already: `pickle` then asks nobody any more."""
    copyreg.add_extension("os", "system", CODE)
    copyreg._extension_cache[CODE] = os.system  # type: ignore[attr-defined]


def main(how: str, folder: Path) -> None:
    register()
    events: list[str] = []
    said: dict[str, Any] = {}
    if how == "ours":
        from sync_workers.state_file.original import state_of

        read: Callable[[bytes], Any] = state_of
    else:
        read = pickle.loads
    files = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    if how == "ours":
        with suppress(ValueError):
            read(b"Va\n.")  # Python imports the codec of such text when it first meets one
        sys.addaudithook(lambda event, _args: events.append(event))
    for name, data in files.items():
        events.clear()
        try:
            read(data)
            text = "read"
        except Exception as error:  # noqa: BLE001 - what it raises is the answer
            text = f"{type(error).__name__}: {error}"
        said[name] = {"said": text, "events": list(events)}
    print(json.dumps(said))  # noqa: T201 - the answer


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
