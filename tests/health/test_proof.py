from __future__ import annotations

from datetime import timedelta

from sync_workers.health.proof import Proof

MINUTE = timedelta(minutes=1)


class Hands:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def test_one_that_has_just_begun_lives() -> None:
    clock = Hands()
    proof = Proof(clock)
    assert proof.holds(MINUTE)
    clock.at += 61
    assert not proof.holds(MINUTE)


def test_a_loop_that_turns_while_the_broker_is_silent_proves_nothing() -> None:
    clock = Hands()
    proof = Proof(clock)
    for _ in range(40):
        clock.at += 2
        proof.turn(heard=1000.0, is_full=False)
    assert not proof.holds(MINUTE)
    assert proof.told() == {
        "loop_turned_seconds_ago": 0.0, "all_slots_taken": False, "broker_answered_seconds_ago": 80.0,
    }  # fmt: skip
    proof.turn(heard=clock.at - 1, is_full=False)
    assert proof.holds(MINUTE)


def test_a_full_worker_need_not_hear_of_messages_but_its_loop_must_turn() -> None:
    clock = Hands()
    proof = Proof(clock)
    clock.at += 500
    proof.turn(heard=1000.0, is_full=True)
    assert proof.holds(MINUTE)
    clock.at += 61
    assert not proof.holds(MINUTE)
