"""Whether the codec and ``advance`` take at most a fifth more instructions than recorded: ``make test-instructions``.

Recorded are ratios to a fixed work counted in the same process: of fastavro on the same data for the codec, of plain
Python on dicts for ``advance``. So they hold for other machines and other builds of the same Python version, within a
hundredth, and no clock and no load can change them. ``make test-instructions RECORD=1`` records the count after a
change that is meant.
"""

import argparse
import json
import os
import pickle
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from bench.instructions.work import Given, names
from bench.measurements.codec import TYPES
from bench.ours.advance import Journal
from bench.ours.codec import spread
from bench.suite.processes import ROOT

RECORDED = Path(__file__).with_name("recorded.json")
RECORD = "make test-instructions RECORD=1"
MORE = 1.20
"""How many times the recorded instructions are a failure."""
FEWER = 0.90
"""How many times they are worth recording anew, so that what was gained cannot be lost again unseen."""
VALUES, ENTRIES = 20, 1_000
"""Of each type; of the journal."""


def main(arguments: list[str]) -> int:
    """Count and compare."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.instructions", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--record", action="store_true", help="record what is counted")
    given = parser.parse_args(arguments)
    if not shutil.which("valgrind"):
        sys.stdout.write(
            "Instructions are not counted: valgrind is not installed (Debian: apt-get install valgrind).\n"
        )
        return 0
    ratios = counted()
    if given.record:
        RECORDED.write_text(json.dumps(ratios, indent=1) + "\n")
        sys.stdout.write(f"Recorded in {RECORDED.relative_to(ROOT)}: {ratios}\n")
        return 0
    lines, holds = compare(ratios, json.loads(RECORDED.read_text()))
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 0 if holds else 1


def compare(ratios: Mapping[str, float], recorded: Mapping[str, float]) -> tuple[list[str], bool]:
    """A line for each work, and whether none takes too much."""
    lines, holds = [], True
    for name, ratio in ratios.items():
        change = ratio / recorded[name]
        line = f"{name:32} {ratio:.3f} of the reference's instructions, {change:.2f} times what is recorded"
        if change > MORE:
            holds = False
            line += f": more than {MORE}. If that is meant, record it: {RECORD}"
        elif change < FEWER:
            line += f": better. Record it, so that it stays: {RECORD}"
        lines.append(line)
    return lines, holds


def counted() -> dict[str, float]:
    """Instructions of each work to those of what it is compared with."""
    journal = Journal()
    given = Given(spread(journal, TYPES, VALUES), journal.reads[:ENTRIES])
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "given"
        path.write_bytes(pickle.dumps(given))
        command = ["valgrind", "--tool=callgrind", "--dump-before=getloadavg", f"--callgrind-out-file={directory}/out"]
        done = subprocess.run(
            [*command, sys.executable, "-m", "bench.instructions.work", str(path)],
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"},
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(f"The work failed under Valgrind:\n{done.stderr}")
        dumps = sorted(Path(directory).glob("out.*"), key=lambda path: int(path.suffix[1:]))
        counts = [int(re.findall(r"(?m)^summary: (\d+)", dump.read_text())[0]) for dump in dumps]
    del counts[0]  # before all works
    pairs = zip(names(TYPES), counts[::2], counts[1::2], strict=True)
    return {name: round(count / reference, 4) for name, count, reference in pairs}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
