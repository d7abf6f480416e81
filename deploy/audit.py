"""`make audit`: the bill of materials of the image, and what is known about the safety of its libraries.

Ends with 1 when a library has a known vulnerability. An index that has no data about them, or that cannot be
reached, is told and is no failure.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build"
LOCK = "deploy/requirements.txt"


def main() -> int:
    """Write build/sbom.json and build/audit.json, and say what they say."""
    BUILD.mkdir(exist_ok=True)
    made = run("cyclonedx-py", "requirements", LOCK, "--pyproject", "pyproject.toml", "--output-reproducible",
               "-o", "build/sbom.json")  # fmt: skip
    if made.returncode:
        sys.stderr.write(made.stderr)
        return 1
    parts = len(json.loads((BUILD / "sbom.json").read_text())["components"])
    print(f"build/sbom.json: {parts} libraries (CycloneDX)")
    return audited()


def audited() -> int:
    """Ask for known vulnerabilities."""
    found = BUILD / "audit.json"
    found.unlink(missing_ok=True)
    asked = run("pip-audit", "--require-hashes", "--disable-pip", "--progress-spinner", "off", "-r", LOCK,
                "-f", "json", "-o", str(found))  # fmt: skip
    if not found.exists():
        print(
            f"known vulnerabilities: the index could not be asked: {asked.stderr.strip().splitlines()[-1:]}"
        )
        return 0
    libraries = json.loads(found.read_text())["dependencies"]
    unknown = sum("skip_reason" in one for one in libraries)
    bad = [one for one in libraries if one.get("vulns")]
    print(
        f"known vulnerabilities: {len(bad)} of {len(libraries) - unknown} libraries; {unknown} without data"
    )
    for one in bad:
        print(f"  {one['name']} {one['version']}: {', '.join(vuln['id'] for vuln in one['vulns'])}")
    return 1 if bad else 0


def run(tool: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name(tool)), *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - ours


if __name__ == "__main__":
    sys.exit(main())
