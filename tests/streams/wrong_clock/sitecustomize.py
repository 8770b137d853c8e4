"""Makes the clock of a Python process wrong by ``WRONG_BY_S`` seconds, for all that runs in it: put this folder first
on its ``PYTHONPATH``. How fast time passes does not change."""

import os
import time

_BY_S = int(os.environ["WRONG_BY_S"])
_time, _time_ns = time.time, time.time_ns
time.time = lambda: _time() + _BY_S
time.time_ns = lambda: _time_ns() + _BY_S * 1_000_000_000
