"""Runs every measurement in the namespace ``bench``, one after the other, on a running stack: ``make bench``."""

import os
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def main() -> int:
    """The exit code of the first measurement that failed, else 0."""
    environment = {**os.environ, "BUS_NAMESPACE": os.environ.get("BUS_NAMESPACE") or "bench"}
    for command in (["deptbus", "up"], ["deptbus", "setup"]):
        code = subprocess.run([sys.executable, "-m", *command], env=environment, check=False).returncode
        if code:
            return code
    for script in sorted(FOLDER.glob("[a-z]*.py")):
        sys.stdout.write(f"\n{script.stem}\n")
        sys.stdout.flush()
        code = subprocess.run([sys.executable, str(script)], env=environment, check=False).returncode
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
