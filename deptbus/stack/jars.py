"""The jars of the local stack, fetched once by Maven as ``pom.xml`` says.

They lie in ``lib_dir/<hash of pom.xml>``: another version of either part is another folder, and a folder is
either whole or absent.
"""

import hashlib
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from deptbus.errors import StackError
from deptbus.settings import Settings
from deptbus.stack.java import wheel_java
from deptbus.stack.part import Report


def jars_path(settings: Settings) -> Path:
    """Where the jars belong, fetched or not: ``kafka/*.jar`` and ``registry/quarkus-run.jar`` below it."""
    pom = settings.root / "pom.xml"
    try:
        digest = hashlib.sha256(pom.read_bytes()).hexdigest()
    except OSError:
        raise StackError(f"{pom} cannot be read: run deptbus in the project's folder, or set BUS_ROOT to it.") from None
    return settings.lib_path / digest[:12]


def fetch_jars(settings: Settings, report: Report) -> Path:
    """The folder of the jars, after fetching them where they are missing."""
    path = jars_path(settings)
    if path.exists():
        return path
    maven = shutil.which("mvn")
    if maven is None:
        raise StackError(
            "Maven (mvn) is not on PATH and the local stack's jars are not fetched yet: install Maven, "
            "or set BUS_STACK=compose to use Docker."
        )
    report("fetching Kafka and the registry with Maven, once")
    settings.lib_path.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=settings.lib_path))
    try:
        _run_maven(settings, maven, unfinished)
        try:
            unfinished.rename(path)
        except OSError:  # another process fetched the same and was first
            if not path.exists():
                raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return path


def _run_maven(settings: Settings, maven: str, target: Path) -> None:
    """One Maven run; its whole output goes to ``maven.log``."""
    command = [maven, "-B", "-f", str(settings.root / "pom.xml"), "package", f"-Dlib={target}"]
    wheel = wheel_java()
    if shutil.which("java") is None and wheel is not None:
        command = ["env", f"JAVA_HOME={wheel.parent.parent}", *command]
    log = settings.run_path / "logs" / "maven.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    try:
        with log.open("w") as output:
            code = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=settings.fetch_timeout_s,
                check=False,
            ).returncode
    except OSError as error:
        raise StackError(f"Maven ({maven}) cannot be run: {error.strerror}; repair or reinstall it.") from None
    except subprocess.TimeoutExpired:
        raise StackError(
            f"Maven did not fetch the jars within {settings.fetch_timeout_s:g} s: look into {log}, or raise "
            "BUS_FETCH_TIMEOUT_S."
        ) from None
    if code != 0:
        raise StackError(
            f"Maven could not fetch the local stack's jars ({_first_error(log)}): look into {log}, check the "
            "network and run the command again."
        )


def _first_error(log: Path) -> str:
    """The first error line of Maven's output, short enough for a sentence."""
    for line in log.read_text(errors="replace").splitlines():
        text = re.sub(r"\x1b\[[0-9;]*m", "", line)
        if text.startswith("[ERROR]"):
            return text.removeprefix("[ERROR]").strip()[:200].rstrip(". ")
    return "it named no error"
