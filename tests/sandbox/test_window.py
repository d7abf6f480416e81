from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from sync_workers.sandbox.errors import Refusal
from sync_workers.sandbox.notion import Notion
from sync_workers.sandbox.window import Window
from tests.sandbox.replay import Clock

START = datetime(2026, 6, 27, 17, 0, tzinfo=UTC)


def take(window: Window, seconds: float, token: str = "one") -> int:
    """0 when the request may pass, else the seconds to wait."""
    try:
        window.take(token, START + timedelta(seconds=seconds))
    except Refusal as refusal:
        return int(refusal.headers["Retry-After"])
    return 0


def test_180_requests_pass_at_once_and_the_next_waits_for_the_window() -> None:
    window = Window()
    assert [take(window, 0) for _ in range(180)] == [0] * 180
    assert take(window, 0) == 60
    assert take(window, 20.5) == 40
    assert take(window, 59.9) == 1
    assert take(window, 60) == 0


def test_the_window_slides() -> None:
    window = Window(2)
    assert [take(window, 0), take(window, 30)] == [0, 0]
    assert take(window, 59) == 1
    assert take(window, 60) == 0  # the first has left
    assert take(window, 61) == 29  # the second has not
    assert take(window, 90) == 0


def test_waiting_as_long_as_asked_is_enough() -> None:
    # given a client that comes every 0.1 s and keeps to every Retry-After
    window, now = Window(5), 0.0
    passed: list[float] = []
    while len(passed) < 30:
        wait = take(window, now)
        if not wait:
            passed.append(now)
        now += wait or 0.1
    # then no 60 s saw more than 5
    assert all(later - earlier >= 60 for earlier, later in zip(passed, passed[5:], strict=False))


def test_refused_requests_do_not_count() -> None:
    window = Window(1)
    assert take(window, 0) == 0
    assert [take(window, second) > 0 for second in range(1, 60)] == [True] * 59
    assert take(window, 60) == 0


def test_each_token_has_its_own_window() -> None:
    window = Window(1)
    assert [take(window, 0), take(window, 0, "two")] == [0, 0]
    assert take(window, 0, "two") == 60


@pytest.mark.parametrize("limit", [0, None])
def test_the_window_can_be_switched_off(limit: int | None) -> None:
    window = Window(limit)
    assert [take(window, 0) for _ in range(1000)] == [0] * 1000


def test_the_api_keeps_to_the_window(http: httpx.Client, notion: Notion, clock: Clock) -> None:
    # given
    notion.window.limit = 3
    # when
    answers = [http.get("/v1/users/me") for _ in range(4)]
    # then
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    refused = answers[-1]
    assert refused.headers["Retry-After"] == "60"
    assert refused.json()["code"] == "rate_limited"
    assert refused.json()["additional_data"] == {
        "rate_limit_reason": "public_api_request_rate_limit",
        "retry_after": "60",
    }
    # and after the wait it goes on
    clock.advance_to(clock.now + timedelta(seconds=60))
    assert http.get("/v1/users/me").status_code == 200


def test_the_usual_limit_is_notions() -> None:
    assert Notion().window.limit == 180
