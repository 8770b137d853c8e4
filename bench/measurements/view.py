"""The dashboard's list of 5,000 open incidents with 50,000 open tasks, in Chromium: how soon it is there, how it moves.

The first view counts from the navigation of a browser that knows nothing yet to the frame with the first row. While the
list is scrolled from end to end, the longest time between two frames is the pause that somebody sees.
"""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, sync_playwright

from bench.incidents import populate
from bench.suite.bench import Bench
from bench.suite.bounds import Bound, Result
from bench.suite.pairs import interval
from bench.suite.processes import MeasurementFailed
from tests.dashboard.browser.conftest import NAMES, QUIET
from tests.dashboard.serving import Served, page_is_built

FIRST = Bound("first view of 5,000 incidents with 50,000 tasks, s", 1.0, at_most=True, unit="s")
PAUSE = Bound("longest pause while their list is scrolled from end to end, ms", 100, at_most=True, unit="ms")
BOUNDS = (FIRST, PAUSE)

_SHOWN = """() => new Promise(done => {
  const look = () => document.querySelector('[role="row"] a[href*="/incident?"], tbody a[href*="/incident?"]')
    ? requestAnimationFrame(() => done(performance.now())) : requestAnimationFrame(look);
  look();
})"""
_SCROLLED = """steps => new Promise(done => {
  const rest = one => one.scrollHeight - one.clientHeight;
  const box = [...document.querySelectorAll('*')].sort((a, b) => rest(b) - rest(a))
    .find(one => /auto|scroll/.test(getComputedStyle(one).overflowY));
  const end = box.scrollHeight - box.clientHeight;
  let step = 0, before = performance.now(), longest = 0;
  const frame = at => {
    if (step > 1) longest = Math.max(longest, at - before);
    before = at;
    box.scrollTop = end * ++step / steps;
    step < steps ? requestAnimationFrame(frame) : done({longest, end, reached: box.scrollTop});
  };
  requestAnimationFrame(frame);
})"""


def measure(bench: Bench) -> Iterable[Result]:
    """Both; without Chromium or the built page they fail."""
    incidents = populate(bench, bench.of(5_000, 1_000))
    runs, steps = bench.of(9, 3), bench.of(300, 100)
    first, pauses = [], []
    with (
        TemporaryDirectory() as folder,
        Served(incidents.world.environment, Path(folder)) as served,
        _browser() as browser,
    ):
        for _ in range(runs + 1):
            context = browser.new_context(viewport={"width": 1440, "height": 900})
            page = context.new_page()
            page.goto(f"{served.url}/incidents", wait_until="commit")
            first.append(float(page.evaluate(_SHOWN)) / 1000)
            scrolled = page.evaluate(_SCROLLED, steps)
            if scrolled["reached"] < scrolled["end"] - 1 or scrolled["end"] < incidents.instances:
                raise MeasurementFailed(f"the list was not scrolled through: {scrolled}")
            pauses.append(float(scrolled["longest"]))
            context.close()
    yield FIRST.result(median(first[1:]), *interval(first[1:]), f"{incidents.instances:,} incidents")
    yield PAUSE.result(median(pauses[1:]), *interval(pauses[1:]), f"{steps} frames")


@contextmanager
def _browser() -> Iterator[Browser]:
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None or not page_is_built():
        raise MeasurementFailed("Chromium (Debian: apt-get install chromium) and the built page (make page) are needed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(QUIET))
        yield browser
        browser.close()
