"""The published boards, read once."""

import pytest

from leaderboards import about, image_values, store
from leaderboards.board import Board, boards
from leaderboards.paired import Values
from tests.leaderboards.factory import PUBLISHED


@pytest.fixture(scope="session")
def published() -> tuple[list[Board], Values]:
    """Return the published boards, and what their runs scored on each image."""
    records, _ = store.read([PUBLISHED])
    values = image_values.read(records, [PUBLISHED]).runs
    return boards(records, about.read([PUBLISHED]).excluded, values), values
