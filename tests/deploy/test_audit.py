import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GOOD = '{"name": "good", "version": "1.0", "vulns": []}'
BAD = '{"name": "bad", "version": "1.0", "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["1.1", "2.0"]}]}'
UNKNOWN = '{"name": "unknown", "skip_reason": "Dependency not found on PyPI and could not be audited"}'

Audit = Callable[..., tuple[int, str, str]]


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    """Run the program with fake tools that print the given output."""
    python = tmp_path / "python"
    python.symlink_to(sys.executable)

    def tool(name: str, output: str = "", complaint: str = "") -> None:
        says = f"import sys\nprint({output!r})\nprint({complaint!r}, file=sys.stderr)\n"
        (tmp_path / name).write_text(f"#!{sys.executable}\n{says}")
        (tmp_path / name).chmod(0o755)

    def run(
        *packages: str, report: str | None = None, complaint: str = "", license_: str = "MIT"
    ) -> tuple[int, str, str]:
        tool("pip-audit", f'{{"dependencies": [{", ".join(packages)}]}}' if report is None else report, complaint)
        tool("pip-licenses", json.dumps([{"Name": "good", "License": license_}]))
        tool("cyclonedx-py")
        program, bill = ROOT / "deploy" / "audit.py", tmp_path / "build" / "sbom.json"
        command = (python, program, "requirements.lock", "python", bill)
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
        return done.returncode, done.stdout, done.stderr.strip()

    return run


def test_a_vulnerability_is_a_problem(audit: Audit) -> None:
    status, out, err = audit(GOOD, BAD, UNKNOWN)
    assert (status, err) == (1, "problem: bad 1.0 has PYSEC-2026-1, fixed in: 1.1, 2.0")
    assert "looked up for 2 of 3 packages" in out


def test_a_clean_report_passes(audit: Audit) -> None:
    assert audit(GOOD)[::2] == (0, "")


@pytest.mark.parametrize(
    ("report", "complaint"),
    [
        (f'{{"dependencies": [{UNKNOWN}]}}', "No known vulnerabilities found"),
        ("", "Traceback …\nrequests.exceptions.ProxyError: HTTPSConnectionPool(host='pypi.org', port=443): …"),
        ("", "Traceback …\nrequests.exceptions.ConnectionError: Failed to resolve 'pypi.org'"),
    ],
)
def test_a_package_that_was_not_looked_up_is_reported(audit: Audit, report: str, complaint: str) -> None:
    status, out, err = audit(report=report, complaint=complaint)
    assert (status, err) == (0, "")
    assert "NOT LOOKED UP" in out


@pytest.mark.parametrize("complaint", ["", "pip-audit: error: unrecognized arguments: --format"])
def test_an_audit_that_breaks_is_a_problem(audit: Audit, complaint: str) -> None:
    status, _, err = audit(report="", complaint=complaint)
    assert (status, err) == (1, f"problem: pip-audit has failed: {complaint}".strip())


@pytest.mark.parametrize(
    ("license_", "status"),
    [
        ("MIT AND PSF-2.0", 0),
        ("Apache Software License; MIT License", 0),
        ("GPL-3.0-only OR MIT", 0),
        ("GPL-3.0-only AND MIT", 1),
        ("MIT License; GNU Affero General Public License v3", 1),
        ("UNKNOWN", 1),
        ("", 1),
    ],
)
def test_licenses_are_checked_as_expressions(audit: Audit, license_: str, status: int) -> None:
    assert audit(GOOD, license_=license_)[0] == status
