"""`make audit`: what is known against the deployed packages, under which licences they are, and a list of them all.

    python audit.py LOCK_FILE PYTHON SBOM

runs with the packages of requirements-tools.lock, and looks at those of the lock file and of the other Python, in which
they are installed. Ends with 1 after a finding.
"""

import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

# Whoever deploys or passes on the service has nothing more to do than to keep their texts. The words are those of SPDX
# and of PyPI's classifiers, both of which packages use.
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
    """Looks at everything, and returns the exit status."""
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
    """Those that pip-audit has reported; says so where it could look nothing up, which it takes for a good sign."""
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
        f"{package['name']} {package['version']} has {found['id']}, mended in: {', '.join(found['fix_versions'])}"
        for package in known
        for found in package["vulns"]
    ]


def licenses(packages: Iterable[tuple[str, str]]) -> list[str]:
    """Prints the packages by their licences, and returns those whose is none of the allowed."""
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
    """Whether all that must be kept may be: `A AND B` is both, `A OR B` a choice, and `A; B` a list of classifiers."""
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
