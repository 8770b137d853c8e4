"""The peers' virtual environment: pinned in ``bench/peers/requirements.lock``, made when it is first needed."""

import subprocess
import sys
from pathlib import Path

from bench.suite.processes import ROOT

LOCK = ROOT / "bench" / "peers" / "requirements.lock"
FOLDER = ROOT / ".run" / "bench" / "peers"


def python() -> Path:
    """The interpreter of the peers' environment; installs what the lock file names, where that has changed."""
    interpreter, stamp = FOLDER / "bin" / "python", FOLDER / "installed.lock"
    wanted = LOCK.read_bytes()
    if not stamp.is_file() or stamp.read_bytes() != wanted:
        sys.stderr.write("The peers are installed into their own environment.\n")
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(FOLDER)], check=True)
        install = [
            str(interpreter),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--require-hashes",
            "--no-deps",
            "-r",
            str(LOCK),
        ]
        subprocess.run(install, check=True)
        stamp.write_bytes(wanted)
    return interpreter
