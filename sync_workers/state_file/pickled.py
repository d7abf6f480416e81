"""Takes a pickle apart without running any of it: there is no call, no import and no attribute here.

A `pickle.Unpickler` with a careful `find_class` still calls what that gives, changes attributes of it, and
takes objects of the extension registry past it. So the few operations that a state needs are done here: a
class is a `Name`, an object is a note of what would have been called, and `original` knows what notes mean.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn


class UnreadableError(ValueError):
    """A file holds no state that can be read here; the text says why, without field values."""


@dataclass(frozen=True, slots=True)
class Name:
    """A class or function that a pickle names; it is never imported."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"

    @property
    def shown(self) -> str:
        """For a message: a damaged file may have anything for a name."""
        return str(self) if len(str(self)) <= _LONGEST_NAME else f"{str(self)[:_LONGEST_NAME]}…"


_LONGEST_NAME = 100


@dataclass(slots=True, eq=False)
class Made:
    """An object that a pickle describes: what would be called with what, and its state; nothing is called."""

    of: Name
    args: tuple[Any, ...]
    state: Any = None


@dataclass(slots=True, eq=False)
class Pairs:
    """A dict whose keys are not looked at yet: hashing what a pickle nests can end the process."""

    items: list[tuple[Any, Any]] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Members:
    """A set, likewise."""

    items: list[Any] = field(default_factory=list)
    frozen: bool = False


def load(data: bytes, admits: Callable[[Name], bool]) -> Any:
    """What a pickle describes, of plain values, lists, tuples, `Pairs`, `Members`, `Made` and `Name`.

    Raises:
        UnreadableError: it is damaged, names something that is not admitted, or uses what no state needs.
    """
    machine = _Machine(admits)
    try:
        return machine.run(data)
    except UnreadableError:
        raise
    except (ValueError, LookupError, TypeError, OverflowError, MemoryError) as error:
        raise UnreadableError(f"the pickle is damaged ({type(error).__name__})") from None


_GETATTR, _RECONSTRUCTOR = Name("builtins", "getattr"), Name("copyreg", "_reconstructor")
STRUCTURE = frozenset({_GETATTR, _RECONSTRUCTOR})
"""What the machine itself understands. `getattr` only as a class inside a class, which makes another name."""

_RENAMED = {"__builtin__": "builtins", "copy_reg": "copyreg"}
"""Modules as the protocols up to 2 name them."""


class _Machine:
    def __init__(self, admits: Callable[[Name], bool]) -> None:
        self.admits = admits
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def run(self, data: bytes) -> Any:
        for operation, given, _ in pickletools.genops(data):
            name = operation.name
            if name == "STOP":
                return self.pop()
            if name in _PUSHES:
                self.stack.append(bytes(given) if isinstance(given, bytearray) else given)
            elif name in _NEW:
                self.stack.append(_NEW[name]())
            elif name in _DOES:
                _DOES[name](self, given)
            else:
                raise UnreadableError(f"the pickle uses {name}, which no state needs")
        return _damaged()

    # --- the stack ---

    def pop(self) -> Any:
        if len(self.stack) <= (self.marks[-1] if self.marks else 0):
            _damaged()
        return self.stack.pop()

    def top(self, *kinds: type) -> Any:
        value = self.pop()
        self.stack.append(value)
        if kinds and not isinstance(value, kinds):
            _damaged()
        return value

    def several(self, number: int) -> tuple[Any, ...]:
        return tuple(self.pop() for _ in range(number))[::-1]

    def since_mark(self) -> list[Any]:
        if not self.marks:
            _damaged()
        start = self.marks.pop()
        taken = self.stack[start:]
        del self.stack[start:]
        return taken

    def drop(self, _: object) -> None:
        if self.marks and self.marks[-1] == len(self.stack):
            self.marks.pop()
        else:
            self.pop()

    # --- containers ---

    def make_dict(self, _: object) -> None:
        self.stack.append(Pairs(_paired(self.since_mark())))

    def extend(self, values: Iterable[Any]) -> None:
        self.top(list).extend(values)

    def set_items(self, flat: Sequence[Any]) -> None:
        self.top(Pairs).items.extend(_paired(flat))

    def add_members(self, values: Sequence[Any]) -> None:
        if self.top(Members).frozen:
            _damaged()
        self.top(Members).items.extend(values)

    # --- names and objects ---

    def admitted(self, module: Any, name: Any) -> Name:
        if not isinstance(module, str) or not isinstance(name, str):
            _damaged()
        found = Name(_RENAMED.get(module, module), name)
        if found not in STRUCTURE and not self.admits(found):
            refuse(found)
        return found

    def name(self, given: str) -> None:
        module, _, name = given.partition(" ")
        self.stack.append(self.admitted(module, name))

    def make(self, _: object) -> None:
        of, args = self.several(2)
        if not isinstance(of, Name) or not isinstance(args, tuple):
            _damaged()
        match (of, args):
            case (Name() as called, (Name() as outer, str() as inner)) if called == _GETATTR:
                self.stack.append(self.admitted(outer.module, f"{outer.name}.{inner}"))
            # The older protocols' way to say: this class, made of a value of a plain one.
            case (Name() as called, (Name() as made, Name(), value)) if called == _RECONSTRUCTOR:
                self.stack.append(Made(made, () if value is None else (value,)))
            case _ if of in STRUCTURE:
                refuse(of)
            case _:
                self.stack.append(Made(of, args))

    def make_with_keywords(self, given: object) -> None:
        if self.pop_kind(Pairs).items:
            _damaged()
        self.make(given)

    def pop_kind(self, kind: type) -> Any:
        self.top(kind)
        return self.pop()

    def set_state(self, _: object) -> None:
        state, made = self.pop(), self.top(Made)
        if made.state is not None:
            _damaged()
        made.state = state

    def remember(self, place: int | None) -> None:
        self.memo[len(self.memo) if place is None else place] = self.top()


def refuse(name: Name) -> NoReturn:
    """A pickle names what a state has no use for.

    Raises:
        UnreadableError: always.
    """
    raise UnreadableError(
        f"it holds {name.shown}, and only plain data is taken from a pickle: text, numbers, dates, times, "
        "UUIDs, lists and dicts of them. Nothing in it was run"
    )


def _damaged() -> NoReturn:
    raise UnreadableError("the pickle is damaged")


def _paired(flat: Sequence[Any]) -> list[tuple[Any, Any]]:
    return list(zip(flat[::2], flat[1::2], strict=True))


_PUSHES = frozenset({
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT",
    "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8",
    "SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8",
})  # fmt: skip
"""Operations that bring a value with them."""

_NEW: Mapping[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_TUPLE": tuple,
    "EMPTY_LIST": list,
    "EMPTY_DICT": Pairs,
    "EMPTY_SET": Members,
}

_Do = Callable[[_Machine, Any], object]
_DOES: Mapping[str, _Do] = {
    "PROTO": lambda _machine, _: None,
    "FRAME": lambda _machine, _: None,
    "MARK": lambda m, _: m.marks.append(len(m.stack)),
    "POP": _Machine.drop,
    "POP_MARK": lambda m, _: m.since_mark(),
    "DUP": lambda m, _: m.stack.append(m.top()),
    "TUPLE": lambda m, _: m.stack.append(tuple(m.since_mark())),
    "TUPLE1": lambda m, _: m.stack.append(m.several(1)),
    "TUPLE2": lambda m, _: m.stack.append(m.several(2)),
    "TUPLE3": lambda m, _: m.stack.append(m.several(3)),
    "LIST": lambda m, _: m.stack.append(m.since_mark()),
    "DICT": _Machine.make_dict,
    "FROZENSET": lambda m, _: m.stack.append(Members(m.since_mark(), frozen=True)),
    "APPEND": lambda m, _: m.extend(m.several(1)),
    "APPENDS": lambda m, _: m.extend(m.since_mark()),
    "SETITEM": lambda m, _: m.set_items(m.several(2)),
    "SETITEMS": lambda m, _: m.set_items(m.since_mark()),
    "ADDITEMS": lambda m, _: m.add_members(m.since_mark()),
    "GLOBAL": _Machine.name,
    "STACK_GLOBAL": lambda m, _: m.stack.append(m.admitted(*m.several(2))),
    "REDUCE": _Machine.make,
    "NEWOBJ": _Machine.make,
    "NEWOBJ_EX": _Machine.make_with_keywords,
    "BUILD": _Machine.set_state,
    "MEMOIZE": _Machine.remember,
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), _Machine.remember),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), lambda m, place: m.stack.append(m.memo[place])),
}  # fmt: skip
