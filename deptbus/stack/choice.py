"""Which kind of stack the settings mean."""

import shutil

from deptbus.errors import StackError
from deptbus.settings import Settings
from deptbus.stack.compose import ComposeStack
from deptbus.stack.external import ExternalStack
from deptbus.stack.jars import jars_path
from deptbus.stack.local import LocalStack
from deptbus.stack.part import Stack


def open_stack(settings: Settings) -> Stack:
    """The stack of ``BUS_STACK``.

    Unset: external where the addresses are not those of this machine's stack, else local where Maven is found
    or its work is done, else compose where Docker is found.
    """
    kind = settings.stack or _default(settings)
    if kind == "external":
        return ExternalStack(settings)
    return LocalStack(settings) if kind == "local" else ComposeStack(settings)


def _default(settings: Settings) -> str:
    if settings.bootstrap_servers != f"127.0.0.1:{settings.kafka_port}":
        return "external"
    if shutil.which("mvn") or jars_path(settings).exists():
        return "local"
    if shutil.which("docker") or shutil.which("docker-compose"):
        return "compose"
    raise StackError(
        "Neither Maven nor Docker is installed, so no broker can be started here: install one of them, "
        "or set BUS_STACK=external with BUS_BOOTSTRAP_SERVERS and BUS_SCHEMA_REGISTRY_URL."
    )
