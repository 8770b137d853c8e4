"""What no process can tell of itself: how far groups are behind whose members are gone, and whether the audit holds.

One process watches a whole namespace: it looks at all groups every few seconds, and verifies the audit now and then.
"""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

import structlog

from deptbus import bootstrap
from deptbus.clock import system_clock
from deptbus.errors import BusError, NotFound, SettingsError
from deptbus.health import health_path, write_health
from deptbus.kafka.looks import Looker
from deptbus.observe import names
from deptbus.observe.counting import PROCESS, Measure
from deptbus.observe.process import Observed, observing
from deptbus.operations.lag import ALARMING, History, Lag
from deptbus.operations.verifying import verify
from deptbus.settings import Settings

LOOK_S = 10.0
"""How often it looks; its health file goes stale after fifteen."""
VERIFY_S = 300.0
"""How often the audit is verified: it is read from its beginning each time."""

Verify = Callable[[], bool | None]
"""Whether the audit holds; None where there is none."""

_log = structlog.get_logger("deptbus.observe.watching")


class Watch:
    """See the module. ``run`` in one thread; the others from any."""

    def __init__(self, looker: Looker, verify: Verify, look_s: float = LOOK_S, verify_s: float = VERIFY_S) -> None:
        self._looker = looker
        self._verify = verify
        self._look_s = look_s
        self._verify_s = verify_s
        self._history = History()
        self._lags: list[Lag] = []
        self._intact: bool | None = None
        self._looked = False
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Return from ``run`` soon."""
        self._stopped.set()

    def unready(self) -> list[str]:
        """Why nothing is known yet."""
        return [] if self._looked else ["no look at the groups has succeeded yet"]

    def run(self, beat: Callable[[], None]) -> None:
        """Look until stopped. What cannot be reached for a while is looked at again."""
        verified_s = -self._verify_s
        while not self._stopped.is_set():
            beat()
            try:
                self._lags = self._history.add(self._looker.look(self._looker.names()))
                if time.monotonic() - verified_s >= self._verify_s:
                    verified_s = time.monotonic()
                    self._intact = self._verify()
                self._looked = True
            except BusError as error:
                self._looked = False
                _log.warning("not_looked", error=str(error))
            self._stopped.wait(self._look_s)

    def measures(self) -> Iterator[Measure]:
        """What the latest look found."""
        if self._intact is not None:
            yield Measure(names.AUDIT, (), self._intact)
        for one in self._lags if self._looked else ():
            where = (one.group, one.topic, str(one.partitions[0]))
            yield Measure(names.GROUP_LAG, where, one.events)
            yield Measure(names.GROUP_LAG_TIME, where, one.waiting_ms / 1000)
            yield Measure(names.GROUP_STUCK, where, one.state in ALARMING)
            yield Measure(names.GROUP_LOST, where, one.lost)
            if one.commit_age_ms is not None:
                yield Measure(names.GROUP_COMMIT_AGE, where, one.commit_age_ms / 1000)


def serve(settings: Settings) -> None:
    """Watch the namespace until SIGTERM or SIGINT; ``SettingsError`` where no port says where to tell what is seen."""
    if settings.metrics_port is None:
        raise SettingsError("BUS_METRICS_PORT is not set: there is nowhere to tell what is seen.")
    looker = Looker(settings)
    watch = Watch(looker, partial(_is_intact, settings))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: watch.stop())
    forget = PROCESS.ask(watch.measures)
    try:
        with observing(settings, "watch", watch.unready) as observed:
            watch.run(lambda: _pulse(settings, watch, observed))
    finally:
        forget()
        looker.close()


def _pulse(settings: Settings, watch: Watch, observed: Observed) -> None:
    observed.beat()
    state = "joining" if watch.unready() else "working"
    write_health(health_path(settings, "watch"), state, system_clock(), {}, observed.url)


def _is_intact(settings: Settings) -> bool | None:
    with bootstrap.open_auditor(settings) as auditor:
        try:
            found = verify(auditor, bootstrap.open_heads(settings), (), actual=not settings.namespace)
        except NotFound:
            return None
    for finding in found.findings:
        _log.error("audit_broken", code=finding.code, offset=finding.offset, finding=finding.message.en)
    return not found.found
