"""The cost of requests does not grow with a million tasks, a tenth of them of one user, or with the account at most."""

import asyncio
from collections import defaultdict
from pathlib import Path

import pytest
from alembic import command
from benchmarks.scale import SIZES, measure
from tests.conftest import alembic_config
from tests.faults.conftest import Figures

from todo_api.dev.postgres import open_server

pytestmark = pytest.mark.faults

# Ten times the rows add at most one level to an index, and a write uses a dozen indexes.
MOST_BLOCKS_MORE = 16

# These read all tasks of their user, and nothing of others.
WHOLE_ACCOUNT = {"counts", "search, nothing found", "tags"}


def test_requests_read_no_more_with_a_million_tasks(tmp_path: Path, figures: Figures) -> None:
    with open_server(tmp_path / "postgres", durable=False) as database:
        command.upgrade(alembic_config(database), "head")
        points = asyncio.run(measure(database, SIZES[-2:]))

    blocks = defaultdict(list)
    for point in points:
        blocks[point.call].append(point.blocks)
    figures(f"blocks at {SIZES[-2]:,} and at {SIZES[-1]:,} tasks: {dict(blocks)}")
    growing = {call for call, (fewer, more) in blocks.items() if more > fewer + MOST_BLOCKS_MORE}
    assert growing == WHOLE_ACCOUNT
    for fewer, more in (blocks[call] for call in WHOLE_ACCOUNT):
        assert more < 11 * fewer, "it reads more than the account, which is ten times as large"
