"""The fuzz tests of the suite, with many more examples."""

import os
import re
import subprocess
import sys

import pytest
from tests.e2e.programs import ROOT
from tests.faults.conftest import Figures

pytestmark = pytest.mark.faults

EXAMPLES = 400  # of each test


def test_many_more_examples_pass(figures: Figures) -> None:
    command = [sys.executable, "-m", "pytest", "tests/fuzz", "--hypothesis-show-statistics"]
    environment = {**os.environ, "FUZZ_EXAMPLES": str(EXAMPLES)}
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    counts = [
        (int(passing), int(failing)) for passing, failing in re.findall(r"(\d+) passing.*?(\d+) failing", run.stdout)
    ]
    passing, failing = (sum(numbers) for numbers in zip(*counts, strict=True))
    figures(f"examples run {passing + failing:,} by {len(counts)} tests, failing: {failing}")
    assert run.returncode == 0, run.stdout
    assert failing == 0
    assert passing >= EXAMPLES * 20
