"""Processes that a test interrupts as Ctrl-C does."""

import signal
import subprocess
from typing import Any


def interruptible(command: list[str], **options: Any) -> "subprocess.Popen[Any]":
    """Start a process that SIGINT reaches, though the tests may ignore it: background jobs do."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # what is ignored, children ignore too
    try:
        return subprocess.Popen(command, **options)
    finally:
        signal.signal(signal.SIGINT, before)
