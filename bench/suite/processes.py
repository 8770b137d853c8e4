"""The processes in which both sides of a measurement run, each in its own environment, asked in turns."""

import contextlib
import json
import os
import select
import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

ANSWER_S = 600.0
"""In how many seconds a side must have answered."""


class MeasurementFailed(Exception):
    """A side could not do its work, or what it did was not what it should be."""


class Side:
    """A process that runs one module of ``bench`` and answers requests; see ``child``."""

    def __init__(
        self,
        python: Path | str,
        module: str,
        environment: Mapping[str, str] | None = None,
        answer_s: float = ANSWER_S,
    ) -> None:
        self.module = module
        self._answer_s = answer_s
        variables = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0", **(environment or {})}
        self.process = subprocess.Popen(
            [str(python), "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=variables,
            cwd=ROOT,
            text=True,
        )

    def ask(self, do: str, **request: Any) -> Any:
        """The answer; ``MeasurementFailed`` with the side's own traceback."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps({"do": do, **request}) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            ended = self.process.wait(10)
            raise MeasurementFailed(f"{self.module} has ended with {ended} before it was asked to {do}.") from None
        if not select.select([self.process.stdout], [], [], self._answer_s)[0]:
            raise MeasurementFailed(f"{self.module} was asked to {do} and has not answered in {self._answer_s:g} s.")
        line = self.process.stdout.readline()
        if not line:
            raise MeasurementFailed(f"{self.module} ended with {self.process.wait(10)} while it was asked to {do}.")
        answer = json.loads(line)
        if "error" in answer:
            raise MeasurementFailed(f"{self.module} could not {do}:\n{answer['error']}")
        return answer["answer"]

    def check(self) -> None:
        """``MeasurementFailed`` where the process has ended; unlike a question it costs the process nothing."""
        if self.process.poll() is not None:
            raise MeasurementFailed(f"{self.module} has ended with {self.process.returncode}.")

    def __enter__(self) -> "Side":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended already
            self.process.stdin.close()
        try:
            self.process.wait(0 if error else 10)  # it may still be at work on what nobody waits for
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
