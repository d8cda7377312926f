"""How long `dse report` takes for 500 genuine reports: the promise is under 10 s.

python bench/reports.py [FOLDER_OF_REPORTS]
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WANTED = 500
PROMISED_S = 10.0


def main() -> None:
    """Copy reports until there are 500, read them through the command line, compare with the promise."""
    shared = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[2] / "shared" / "reports"
    files = [path for path in sorted(shared.rglob("*")) if path.suffix in (".rpt", ".xml") and "design_size" not in path.name]
    if not files:
        sys.exit(f"{shared}: no reports. Name a folder that has some.")
    with tempfile.TemporaryDirectory() as folder:
        for number in range(WANTED):
            source = files[number % len(files)]
            (Path(folder) / f"{number}{source.suffix}").write_bytes(source.read_bytes())
        code = "import typer; from dse.cli.report import report; typer.run(report)"
        start = time.monotonic()
        done = subprocess.run([sys.executable, "-c", code, folder, "--json"], capture_output=True, text=True, check=True)
        seconds = time.monotonic() - start
    found = json.loads(done.stdout)
    errors = sum("error" in row for row in found)
    print(f"{len(found)} reports, {errors} errors, {seconds:.2f} s (promised: {PROMISED_S:g} s)")
    if len(found) != WANTED or errors or seconds > PROMISED_S:
        sys.exit(1)


if __name__ == "__main__":
    main()
