"""Nothing that stands in a pickle is ever run: pickles that do harm in Python's own hands do none here."""

from __future__ import annotations

import json
import pickle
import pickletools
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync_workers.state_file.original import STATE, state_of
from sync_workers.state_file.pickled import Name, UnreadableError, load
from tests.conftest import wait_until
from tests.state_file.attacks import attacks
from tests.state_file.library import original_state

ROOT = Path(__file__).parents[2]


def told(how: str, folder: Path) -> dict[str, dict[str, Any]]:
    """What a process of its own says about the pickles of a folder."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.state_file.attacks", how, str(folder)],
        capture_output=True, text=True, check=True, timeout=120, cwd=ROOT,
    )  # fmt: skip
    answer: dict[str, dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return answer


def test_no_attack_on_pickle_runs_anything(tmp_path: Path) -> None:
    pickles, touched = tmp_path / "pickles", tmp_path / "touched"
    pickles.mkdir()
    touched.mkdir()
    made = attacks(lambda value: original_state({"n": "o"}, {"n": {"a": value}}), touched.joinpath)
    for name, data in made.items():
        (pickles / name).write_bytes(data)

    answers = told("ours", pickles)

    assert len(made) > 70
    assert list(touched.iterdir()) == []
    for name, answer in answers.items():
        # Then: it is refused by name, without an import, a call or a look-up that Python would know of.
        assert answer["said"].startswith("UnreadableError: "), (name, answer)
        assert set(answer["events"]) == set(), (name, answer)
        assert str(tmp_path) not in answer["said"]
    assert "os.system" in answers["dropped"]["said"] or "posix.system" in answers["dropped"]["said"]
    # Then: the attacks are real ones; Python's own reader obeys every single one.
    told("theirs", pickles)
    wait_until(
        lambda: {path.name for path in touched.iterdir()} == set(made),
        lambda: f"not run: {set(made) - {path.name for path in touched.iterdir()}}",
    )


REFUSED = {
    "a persistent id": (b"\x80\x02VSECRET\nQ.", "uses BINPERSID"),
    "a persistent id of old": (b"PSECRET\n.", "uses PERSID"),
    "the registry": (b"\x80\x02\x82\x01.", "uses EXT1"),
    "a buffer from outside": (b"\x80\x05\x97.", "uses NEXT_BUFFER"),
    "a class within a class": (
        b"cbuiltins\ngetattr\n(cbuiltins\nset\nV__class__\ntR.",
        "builtins.set.__class__",
    ),
    "all subclasses": (
        b"cbuiltins\ngetattr\n(cbuiltins\nobject\nV__subclasses__\ntR.",
        "builtins.object.__subclasses__",
    ),
    "a look-up of a look-up": (b"cbuiltins\ngetattr\n(cbuiltins\ngetattr\nVa\ntR.", "builtins.getattr.a"),
    "a look-up on a value": (b"cbuiltins\ngetattr\n(I1\nVa\ntR.", "builtins.getattr"),
    "another base": (b"ccopyreg\n_reconstructor\n(I1\nI1\nNtR.", "copyreg._reconstructor"),
    "a codec": (b"ccodecs\nencode\n(Va\nVrot13\ntR.", "codecs.encode"),
    "a path": (b"cpathlib\nPosixPath\n(Va\ntR.", "pathlib.PosixPath"),
    "a name with dots": (b"\x80\x04Vdatetime\nVdate.today\n\x93)R.", "datetime.date.today"),
    "a name that only looks like ours": (b"cultimate_notionary\nState\n)R.", "ultimate_notionary.State"),
    "another class": (b"\x80\x02cdatetime\ndate\n.", "no State of ultimate-notion"),
    "a plain dict": (pickle.dumps({"ids": {}, "objs": {}}), "no State of ultimate-notion"),
    "nothing": (b"", "damaged"),
    "text": (b"hello", "damaged"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_no_state_needs_is_refused_by_name(name: str) -> None:
    data, expected = REFUSED[name]
    with pytest.raises(UnreadableError) as raised:
        state_of(data)
    assert expected in str(raised.value)
    assert "SECRET" not in str(raised.value)


def test_a_name_without_end_is_cut_in_the_message() -> None:
    with pytest.raises(UnreadableError) as raised:
        state_of(b"cmodule\n" + b"a" * 10_000 + b"\n.")
    assert "it holds module.aaa" in str(raised.value)
    assert len(str(raised.value)) < 400


def within(value: bytes) -> bytes:
    """A state whose one field is made by these operations."""
    module, _, name = STATE.rpartition(".")
    start = b"\x80\x05c%s\n%s\n)\x81}(Vids\n}Vn\nVo\nsVobjs\n}Vn\n}Va\n" % (module.encode(), name.encode())
    return start + value + b"ssub."


def test_the_state_around_a_value_is_read() -> None:
    assert state_of(within(b"I5\n")).objs == {"n": {"a": 5}}


def zoned(key: bytes) -> bytes:
    """A time in the zone of that name, as Python writes it."""
    look_up = b"cbuiltins\ngetattr\n(czoneinfo\nZoneInfo\nV_unpickle\ntR"
    return b"cdatetime\ntime\n(C\x06\x01\x00\x00\x00\x00\x00" + look_up + b"(V%s\nI1\ntRtR" % key


WRONG_VALUES = {
    "a day that is none": (b"cdatetime\ndate\n(C\x04\x07\xea\x01\xc8tR", "datetime.date"),
    "a short day": (b"cdatetime\ndate\n(C\x01\x07tR", "datetime.date"),
    "a moment that is none": (
        b"cdatetime\ndatetime\n(C\x0a\x07\xea\x01\x01\x63\x00\x00\x00\x00\x00tR",
        "datetime.datetime",
    ),
    "a moment of bytes as pendulum's": (
        b"cpendulum.datetime\nDateTime\n(C\x0a\x07\xea\x01\xc8\x00\x00\x00\x00\x00\x00tR",
        "pendulum.datetime.DateTime",
    ),
    "a codec of another name": (b"c_codecs\nencode\n(Va\nVrot13\ntR", "_codecs.encode"),
    "a zone somewhere else": (zoned(b"../../etc/passwd"), "ZoneInfo._unpickle"),
    "a zone that nobody knows": (zoned(b"Mars/Base"), "zone that is not known"),
    "a number without end": (b"\x8b\x00\x10\x00\x00" + b"\x7f" * 4096, "too large"),
    "an endless duration": (b"cdatetime\ntimedelta\n(I9999999999\ntR", "datetime.timedelta"),
    "a span of words": (b"cpendulum.interval\nInterval\n(Va\nVb\ntR", "Interval"),
    "text of a number": (b"cultimate_notion.rich_text\nText\n(I1\ntR", "rich_text.Text"),
    "a list as a key": (b"}]I1\ns", "damaged"),
    "an id without a number": (b"cuuid\nUUID\n)\x81}b", "uuid.UUID"),
    "a class": (b"cdatetime\ndate\n", "datetime.date"),
    "a set of a set": (b"\x8f(\x8f\x90", "damaged"),
    "itself": (b"]p0\ng0\na", "nested"),
    "an option in itself": (b"cultimate_notion.option\nOption\n)\x81p0\n}V_obj_ref\ng0\nsb", "Option"),
    "an option of options": (
        b"cultimate_notion.option\nOption\n)\x81p0\n}V_obj_ref\ncultimate_notion.a\nA\n)\x81}Vname\ng0\nsbsb",
        "nested",
    ),
    "another part of the library": (b"cultimate_notion.user\nUser\n)\x81", "ultimate_notion.user.User"),
    "a moment before all time": (
        (
            b"cpendulum.datetime\nDateTime\n(I1\nI1\nI1\nI0\nI0\nI0\nI0\ncbuiltins\ngetattr\n("
            b"cpendulum.tz.timezone\nTimezone\nV_unpickle\ntR(VAsia/Tokyo\nI1\ntRtR"
        ),
        "cannot be kept",
    ),
}


@pytest.mark.parametrize("name", WRONG_VALUES)
def test_a_value_that_is_wrong_is_refused(name: str) -> None:
    data, expected = WRONG_VALUES[name]
    with pytest.raises(UnreadableError) as raised:
        state_of(within(data))
    assert expected in str(raised.value)


def test_what_is_nested_deeply_ends_nothing() -> None:
    for start, end in ((b"]", b"a"), (b"", b"\x85"), (b"}I1\n", b"s")):
        deep = start * 200_000 + b"N" + end * 200_000
        with pytest.raises(UnreadableError, match="too deeply"):
            state_of(within(deep))


def test_what_stands_once_cannot_fill_the_memory_by_being_referred_to() -> None:
    levels = b"".join(b"](" + b"g%d\n" % n * 100 + b"ep%d\n0" % (n + 1) for n in range(6))
    with pytest.raises(UnreadableError, match="too large"):
        state_of(within(b"V%s\np0\n0" % (b"a" * 100) + levels + b"g6\n"))


@pytest.fixture(scope="module")
def sound() -> bytes:
    return pickle.dumps(original_state({"n": "o"}, {"n": {"a": ["SECRET-VALUE", 1.5, {"x"}]}}))


def test_a_pickle_that_ends_early_is_damaged_wherever_it_ends(sound: bytes) -> None:
    for length in range(len(sound)):
        with pytest.raises(UnreadableError) as raised:
            state_of(sound[:length])
        assert "SECRET" not in str(raised.value)


@given(data=st.data())
@settings(max_examples=500, deadline=None)
def test_a_pickle_with_changed_bytes_is_read_or_refused(sound: bytes, data: st.DataObject) -> None:
    changed = bytearray(sound)
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(sound) - 1))] = data.draw(st.integers(0, 255))
    said = ""
    try:
        state_of(bytes(changed))
    except UnreadableError as error:
        said = str(error)
    assert "SECRET" not in said


OPERATIONS = [operation.code.encode("latin1") for operation in pickletools.opcodes]


@given(st.lists(st.sampled_from([*OPERATIONS, b"1\n", b"\x00", b"a\n", b"datetime\ndate\n"]), max_size=30))
@settings(max_examples=500, deadline=None)
def test_operations_in_any_order_are_read_or_refused(operations: list[bytes]) -> None:
    with suppress(UnreadableError):
        load(b"".join(operations) + b".", lambda name: name == Name("datetime", "date"))
