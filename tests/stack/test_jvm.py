"""What the local broker's JVM is told."""

from pathlib import Path

from deptbus.settings import Settings
from deptbus.stack.commands import kafka_arguments
from tests.broker import ROOT


def test_the_broker_runs_with_the_heap_and_the_options_that_are_set() -> None:
    settings = Settings.load(root=ROOT, kafka_heap="1G", kafka_jvm="-server -XX:+UseG1GC")
    arguments = kafka_arguments(settings, Path("lib"), Path("server.properties"))
    assert {"-Xmx1G", "-server", "-XX:+UseG1GC"} <= set(arguments[: arguments.index("-cp")])
    assert "-XX:+UseSerialGC" not in arguments
