"""Situations that a run can meet, made by chance: what people did since the last run."""

from __future__ import annotations

import random
from datetime import timedelta

from hypothesis import strategies as st

from sync_workers.engine.rules import AmbiguousPolicy, DeletePolicy, Direction, FieldRule, Rules
from sync_workers.model import ConflictMode, Listing, Pair, Side, Snapshot
from sync_workers.services.base import Capabilities
from sync_workers.services.memory import FULL
from tests.runs.crashing import ATTRS, World
from tests.runs.late import LATE

POOR = Capabilities(archives=True)
CHANCE = st.randoms(use_true_random=False)
MODES = st.sampled_from(ConflictMode)


def situations(*, mode: ConflictMode | None = None, late: bool = False) -> st.SearchStrategy[World]:
    """Situations that hypothesis makes up, and makes smaller when one fails.

    With `late` a side may list changes late, and no deletions but by comparing all.
    """
    return CHANCE.map(lambda chance: situation_by(chance, mode=mode, late=late))


def situation_by(chance: random.Random, *, mode: ConflictMode | None = None, late: bool = False) -> World:
    """A world after a first run and after what people did on both sides since then."""
    kinds = (FULL, POOR, LATE, LATE) if late else (FULL, POOR)
    world = World(_rules(chance, mode), Pair.each(lambda _: chance.choice(kinds)))
    people = People(world, chance)
    for _ in range(chance.randint(1, 3)):
        people.add()
    world.settle()
    for _ in range(chance.randint(1, 4)):
        people.act()
    world.conflicts.clear()
    return world


def snapshot_of(world: World) -> Snapshot:
    return Pair.each(lambda side: Listing(dict(world.containers[side].records)))


def _rules(chance: random.Random, mode: ConflictMode | None) -> Rules:
    directions = (Direction.BOTH, Direction.BOTH, chance.choice(list(Direction)))
    return Rules(
        fields=tuple(FieldRule(Pair(*attrs), way) for attrs, way in zip(ATTRS, directions, strict=True)),
        mode=mode or chance.choice((ConflictMode.NOTION, ConflictMode.OTHER, ConflictMode.ERROR)),
        delete=Pair.each(lambda _: chance.choice((*[DeletePolicy.PROPAGATE] * 3, *DeletePolicy))),
        ambiguous=chance.choice(list(AmbiguousPolicy)),
        key=("Name",),
        clock_steps=Pair(timedelta(0), timedelta(0)),
    )


class People:
    """What people do to the two containers of a world; every value that they write is a new one."""

    def __init__(self, world: World, chance: random.Random) -> None:
        self.world, self.chance, self.written = world, chance, 0

    def act(self) -> None:
        self.chance.choice((self.add, self.edit, self.edit, self.edit_both, self.remove))()

    def value(self) -> str:
        self.written += 1
        return f"v{self.written}-{self.chance.randrange(10**6)}"

    def add(self) -> None:
        """A new record on one side, both, or two equal ones; with a key of its own, a shared one, or none."""
        key = self.chance.choice((self.value(), self.value(), "shared", None))
        text = self.value()
        for side in self.chance.choice(
            ((Side.NOTION,), (Side.OTHER,), tuple(Side), (Side.OTHER, Side.OTHER))
        ):
            name, body, _ = (rule.attrs[side] for rule in self.world.rules.fields)
            self.world.containers[side].add(**{name: key, body: text})

    def edit(self) -> None:
        side = self.chance.choice(list(Side))
        if ids := sorted(self.world.containers[side].records):
            self._edit(side, self.chance.choice(ids), self.chance.choice(self.world.rules.fields))

    def edit_both(self) -> None:
        """Edits of both sides of a link, of one field or of two."""
        links = sorted(self.world.state.links()) if self.world.state is not None else []
        there = [
            ids for ids in (Pair(*link) for link in links)
            if all(ids[side] in self.world.containers[side].records for side in Side)
        ]  # fmt: skip
        if there:
            ids = self.chance.choice(there)
            fields = self.chance.choices(self.world.rules.fields[:2], k=2)
            for side, rule in zip(Side, fields, strict=True):
                self._edit(side, ids[side], rule)

    def remove(self) -> None:
        side = self.chance.choice(list(Side))
        if ids := sorted(self.world.containers[side].records):
            self.world.containers[side].remove(self.chance.choice(ids))

    def _edit(self, side: Side, record_id: str, rule: FieldRule) -> None:
        value = self.chance.choice((self.value(), self.value(), None))
        self.world.containers[side].edit(record_id, **{rule.attrs[side]: value})
