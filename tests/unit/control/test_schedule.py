"""When an import looks next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from grantline.control.imports.schedule import next_look

NOW = datetime(2026, 11, 25, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize("interval", [10, 900, 3600, 604800])
def test_the_next_look_is_after_now_and_within_one_interval(interval: int) -> None:
    moment = next_look("imp_a", interval, NOW)
    assert timedelta() < moment - NOW <= timedelta(seconds=interval)


def test_an_import_keeps_its_rhythm() -> None:
    first = next_look("imp_a", 3600, NOW)
    assert next_look("imp_a", 3600, first) == first + timedelta(hours=1)
    assert next_look("imp_a", 3600, first + timedelta(minutes=59)) == first + timedelta(hours=1)


def test_many_imports_do_not_start_in_the_same_second() -> None:
    moments = [next_look(f"imp_{number}", 3600, NOW) for number in range(1000)]
    busiest = max(moments.count(moment) for moment in set(moments))
    assert busiest <= 6
    assert len(set(moments)) > 800
