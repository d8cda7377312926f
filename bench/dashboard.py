"""How fast the dashboard is, by the browser's own clock: one JSON line of milliseconds and megabytes per number of records.

    python bench/dashboard.py [RECORDS ...]

RECORDS (default 10,000 and 100,000) synthetic records with four objectives, as `tests/build_run.py` makes them. A first load
warms the browser's cache (`first_paint_cold_ms`); then, as medians of REPEATS: `first_paint_ms` from asking for the page until
the front, the cards, the table and the sliders are there; `all_points_ms` until the dominated and infeasible designs are drawn
behind the front, too; `what_if_ms` from moving a budget's slider until all of this is drawn anew; `table_ms` from sorting
until the rows are there. `open_s` is from starting the command until it listens, `memory_mb` the server's peak.
Needs Chromium and playwright. Chromium draws WebGL in software here: `all_points_ms` is less where there is a graphics card.
"""

import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
REPEATS = 7
#: Resolves with the times at which the page is of use, and complete.
PAINTED = """() => new Promise(done => {
  let first = null;
  const look = () => {
    const front = document.querySelector('#front');
    const ready = front?.dataset.drawn && document.querySelector('.pick dl') && document.querySelector('table.designs') &&
      document.querySelector('.budget input[type=range]');
    if (ready) first ??= performance.now();
    first && front.dataset.drawn === 'all' ? done([first, performance.now()]) : requestAnimationFrame(look);
  };
  look();
})"""
#: Moves a slider to `to` and resolves when the figure has been drawn anew and the headline says something else.
MOVED = """([where, to]) => new Promise(done => {
  const front = document.querySelector('#front .js-plotly-plot');
  const head = () => document.querySelector('#headline').innerText;
  const before = head(), slider = document.querySelector(where), start = performance.now();
  const look = () => head() === before ? requestAnimationFrame(look) : done(performance.now() - start);
  front.once('plotly_afterplot', look);
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(slider, String(to));
  slider.dispatchEvent(new Event('input', { bubbles: true }));
})"""
SORTED = """() => new Promise(done => {
  const cells = () => document.querySelector('table.designs').innerText;
  const before = cells(), start = performance.now();
  const look = () => cells() === before ? requestAnimationFrame(look) : done(performance.now() - start);
  document.querySelector('table.designs th:nth-child(5) button').click();
  look();
})"""


def peak_mb(pid):
    """The largest memory that a process has had."""
    return round(int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) / 1024)


def started(folder):
    """`dse dashboard` on a folder, its address, and how long it took to listen."""
    start = time.perf_counter()
    command = [sys.executable, "-c", "from dse.cli import main; main()", "dashboard", str(folder), "--port", "0"]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    for line in server.stdout:
        found = re.search(r"http://\S+", line)
        if found:
            return server, found[0], round(time.perf_counter() - start, 2)
    raise SystemExit("the dashboard did not start")


def measured(chrome, address):
    """Milliseconds by the browser's clock."""
    page = chrome.new_page(viewport={"width": 1600, "height": 900})
    page.set_default_timeout(300_000)
    painted = []
    for _ in range(REPEATS + 1):
        page.goto(address, wait_until="commit")  # the page may be of use before all of its scripts have run
        painted.append(page.evaluate(PAINTED))
    slider = """[id='{"metric":"lut","type":"slide"}']"""
    page.wait_for_selector("table.designs")
    page.wait_for_timeout(1000)
    moved = [page.evaluate(MOVED, [slider, 60 - 4 * turn]) for turn in range(REPEATS + 1)]
    order = []
    for _ in range(REPEATS):
        page.wait_for_timeout(300)
        order.append(page.evaluate(SORTED))
    page.close()
    return {
        "first_paint_ms": round(statistics.median(first for first, _ in painted[1:])),
        "first_paint_cold_ms": round(painted[0][0]),
        "all_points_ms": round(statistics.median(every for _, every in painted[1:])),
        "what_if_ms": round(statistics.median(moved[1:])),
        "table_ms": round(statistics.median(order)),
    }


def main():
    """Print the figures."""
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    from browser import browser
    from build_run import build_run

    for count in map(int, sys.argv[1:] or (10_000, 100_000)):
        with tempfile.TemporaryDirectory() as root:
            folder = build_run(Path(root) / "bench", count).folder
            size = (folder / "records.jsonl").stat().st_size
            server, address, opened = started(folder)
            try:
                with browser() as chrome:
                    found = measured(chrome, address)
                told = {"records": count, "file_mb": round(size / 1e6), "open_s": opened, **found}
                print(json.dumps(told | {"memory_mb": peak_mb(server.pid)}), flush=True)
            finally:
                server.terminate()
                server.wait()


if __name__ == "__main__":
    main()
