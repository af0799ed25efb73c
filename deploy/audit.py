"""`make audit`: known vulnerabilities and the licences of the deployed packages, and their list (SBOM).

    python audit.py LOCK_FILE PYTHON SBOM

runs with the packages of requirements-tools.lock. It checks the packages of LOCK_FILE, which are installed in the
environment of PYTHON. It exits with 1 if it finds a problem.
"""

import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

# These licences only require that their texts are kept. Packages use the names of SPDX or of PyPI's classifiers.
ALLOWED_LICENSES = frozenset({
    *("Apache-2.0", "Apache Software License"),
    *("BSD-2-Clause", "BSD-3-Clause", "BSD License", "3-Clause BSD License"),
    *("ISC", "MIT", "MIT-0", "MIT License"),
    *("MPL-2.0", "Mozilla Public License 2.0 (MPL 2.0)"),
    *("PSF-2.0", "Python Software Foundation License"),
})  # fmt: skip
AUDIT = ("pip-audit", "--disable-pip", "--no-deps", "--progress-spinner=off", "--format=json", "--requirement")
OUT_OF_REACH = re.compile("Connect|Proxy|Time|SSL|ServiceError")


def main(lock: str, python: str, bill: str) -> int:
    """Run all checks, and return the exit status."""
    audit = _run(*AUDIT, lock)
    listed = json.loads(_run("pip-licenses", "--python", python, "--from=mixed", "--format=json", check=True).stdout)
    problems = [
        *vulnerabilities(audit.stdout, audit.stderr),
        *licenses((one["Name"], one["License"]) for one in listed),
    ]
    Path(bill).parent.mkdir(parents=True, exist_ok=True)
    _run(
        *("cyclonedx-py", "environment", "--pyproject", "pyproject.toml", "--output-reproducible"),
        *("--output-file", bill, python),
        check=True,
    )
    print(f"bill of materials: {bill}, {len(listed)} packages (CycloneDX)")
    for problem in problems:
        print(f"problem: {problem}", file=sys.stderr)
    return 1 if problems else 0


def vulnerabilities(report: str, complaint: str) -> list[str]:
    """Return pip-audit's findings; print a line if its lookups failed, which it does not treat as a failure."""
    if not report.strip():
        *_, reason = complaint.strip().splitlines() or [""]
        if not OUT_OF_REACH.search(reason):
            return [f"pip-audit has failed: {reason}"]
    packages: list[dict[str, Any]] = json.loads(report)["dependencies"] if report.strip() else []
    known = [package for package in packages if "skip_reason" not in package]
    if not known:
        print(
            "vulnerabilities: NOT LOOKED UP, because pip-audit's data on https://pypi.org cannot be reached from here"
        )
    else:
        print(f"vulnerabilities: looked up for {len(known)} of {len(packages)} packages")
    return [
        f"{package['name']} {package['version']} has {found['id']}, fixed in: {', '.join(found['fix_versions'])}"
        for package in known
        for found in package["vulns"]
    ]


def licenses(packages: Iterable[tuple[str, str]]) -> list[str]:
    """Print the packages by licence, and return those whose licence is not allowed."""
    by_license: dict[str, list[str]] = defaultdict(list)
    for name, license_ in packages:
        by_license[license_].append(name)
    for license_, names in sorted(by_license.items()):
        print(f"license {license_}: {', '.join(sorted(names))}")
    return [
        f"{', '.join(names)}: the license {license_} is none of those that deploy/audit.py allows"
        for license_, names in by_license.items()
        if not is_allowed(license_)
    ]


def is_allowed(license_: str) -> bool:
    """Return whether the licence is allowed: `A AND B` needs both, `A OR B` one, and `A; B` all classifiers."""
    return all(
        any(choice.strip() in ALLOWED_LICENSES for choice in part.split(" OR "))
        for part in re.split(" AND |; ", license_)
    )


def _run(tool: str, *arguments: str, check: bool = False) -> subprocess.CompletedProcess[str]:
    command = (str(Path(sys.executable).with_name(tool)), *arguments)
    return subprocess.run(
        command, stdout=subprocess.PIPE, stderr=None if check else subprocess.PIPE, text=True, check=check
    )


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
