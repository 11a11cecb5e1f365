"""Machines that runs were computed on: on one alone is a seed the same student, and can times be compared."""

from __future__ import annotations

from leaderboards.entry import Entry
from leaderboards.record import Record


def machine(record: Record) -> str:
    """Name the card, or the processor, that computed a run; empty where its record does not say."""
    hardware = record.provenance.hardware
    device = str(hardware.get("device") or "")
    return str(hardware.get({"cpu": "cpu", "cuda": "gpu"}.get(device, "device")) or device)


def elsewhere(entry: Entry, reference: Entry) -> bool:
    """Say whether any seed of an entry was computed on another machine, or by more threads, than the reference's."""
    own, other = _computed(entry), _computed(reference)
    shared = [(own[seed], other[seed]) for seed in own.keys() & other.keys()]
    return any(ours[0] and theirs[0] and ours != theirs for ours, theirs in shared)


def _computed(entry: Entry) -> dict[int, tuple[str, object]]:
    """Return where each finished run of an entry was computed, and by how many threads, by seed."""
    done = [record for record in entry.records if record.status == "ok"]
    return {record.seed: (machine(record), record.provenance.hardware.get("threads")) for record in done}
