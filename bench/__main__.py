"""Runs measurements one after the other, all of them or those named: ``make bench``, ``python -m bench timers``.

They work in the namespace ``bench`` on a running stack, but for those that bring a stack of their own.
"""

import os
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
OWN_STACK = frozenset({"timers"})
"""They are about actual life, of which a stack has only one."""


def main(names: list[str]) -> int:
    """The exit code of the first measurement that failed, else 0; 2 for a name that is none."""
    known = {script.stem: script for script in sorted(FOLDER.glob("[a-z]*.py"))}
    if unknown := [name for name in names if name not in known]:
        sys.stderr.write(f"There is no measurement {unknown[0]}; there are {', '.join(known)}.\n")
        return 2
    chosen = names or list(known)
    environment = {**os.environ, "BUS_NAMESPACE": os.environ.get("BUS_NAMESPACE") or "bench"}
    commands = [["-m", "deptbus", "up"], ["-m", "deptbus", "setup"]] if set(chosen) - OWN_STACK else []
    for command in (*commands, *([str(known[name])] for name in chosen)):
        if command[0] != "-m":
            sys.stdout.write(f"\n{Path(command[0]).stem}\n")
            sys.stdout.flush()
        code = subprocess.run([sys.executable, *command], env=environment, check=False).returncode
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
