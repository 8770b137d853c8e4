"""From an alert of another system to our own, over a real broker: imported, acted on, exported, and read again."""

import json
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest

from deptbus import bootstrap
from deptbus.settings import Settings
from services.government import desk
from tests.broker import SharedStack
from tests.command.engine import Engine
from tests.imports.cap_files import cap, write
from tests.streams.world import World as Broker
from tests.workflow.world import pack_of, workflow

pytestmark = pytest.mark.kafka
ID = "flood/440300/1"


def test_an_alert_that_opens_a_flood_leads_to_one_of_our_own(
    stack: SharedStack, settings: Settings, tmp_path: Path
) -> None:
    def run(*arguments: str, code: int = 0) -> Any:
        command = [sys.executable, "-m", "deptbus", *arguments]
        ran = subprocess.run(
            command, env=stack.environment(BUS_NAMESPACE=settings.namespace), capture_output=True, check=False
        )
        assert ran.returncode == code, ran.stderr.decode()
        return json.loads(ran.stdout) if "--json" in arguments else ran.stdout or ran.stderr

    pack = pack_of(workflow("flood"))
    broker = Broker(settings)
    broker.activate(pack)
    engine = Engine(broker, pack)
    try:
        run("import", "cap", str(write(tmp_path, "storm.cap", cap())), "--json")
        engine.settle()
        assert b"no response level was confirmed in it yet" in run("export", "cap", "--instance", ID, code=2)
        _confirm(settings, engine)
        engine.settle()
    finally:
        engine.close()
        broker.close()
    xml = run("export", "cap", "--instance", ID)
    assert xml.startswith(b"<?xml")
    (exported,) = run("export", "cap", "--instance", "flood/440300", "--output", str(tmp_path / "out"), "--json")
    assert Path(exported["file"]).read_bytes() == xml
    read = run("import", "cap", exported["file"], "--dry-run", "--json")
    facts = read["alerts"][0]["data"]
    assert (facts["identifier"], facts["status"], facts["message_type"]) == (
        exported["identifier"],
        "Exercise",
        "Alert",
    )
    assert (facts["region"], facts["category"], facts["colour"], facts["level"]) == ("440300", "Met", "orange", "II")
    assert facts["warning_id"]["region"] == "440300"


def _confirm(settings: Settings, engine: Engine) -> None:
    """The government's desk confirms the level that the standing rule has raised."""
    asked = engine.world.of_type("workflow.TaskRequested")
    (task,) = [task for task in asked if task["step"] == "confirm_level"]
    (draft,) = desk.answer(task, Random(1))
    government = bootstrap.connect(settings, "government")
    outcome = government.publish(
        draft.type, draft.data, subject=draft.subject, region=draft.region, correlation_id=task["instance"]
    )
    government.close()
    outcome.require()
