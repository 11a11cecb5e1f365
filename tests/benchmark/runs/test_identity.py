"""What a run's id is made of."""

from __future__ import annotations

from dataclasses import replace

from benchmark.runs.identity import network_facts
from tasks.networks.presets import STUDENT


def test_how_many_pixels_a_network_sees_is_part_of_what_it_is() -> None:
    whole, half = network_facts(STUDENT), network_facts(replace(STUDENT, shrink=2))
    assert "shrink" not in whole  # so that ids of networks that see every pixel are what they were before
    assert half == {**whole, "shrink": 2}
