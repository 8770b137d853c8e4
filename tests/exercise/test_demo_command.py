"""``deptbus demo``: which scenarios there are, and what does not go together."""

import json

import typer
from typer.testing import CliRunner, Result

from deptbus.cli.demo import demo as command
from deptbus.errors import NotFound, SettingsError
from deptbus.exercise.scenario import scenario_names
from tests.workflow.world import ROOT

app = typer.Typer()
app.command()(command)


def demo(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_the_scenarios_are_listed() -> None:
    listed = json.loads(demo("--list", "--json").stdout)
    assert tuple(entry["scenario"] for entry in listed) == scenario_names(ROOT)
    assert all(entry["events"] and entry["workflows"] for entry in listed)
    assert "A chlorine tank leaks in Shenzhen" in demo("--list").stdout


def test_a_scenario_that_is_not_there_is_refused_before_anything_starts() -> None:
    found = demo("nowhere")
    assert isinstance(found.exception, NotFound)


def test_what_is_about_the_epidemic_does_not_go_with_a_scenario() -> None:
    found = demo("leak-shenzhen", "--province", "440000")
    assert isinstance(found.exception, SettingsError)
    assert "are about the epidemic; leave them out of leak-shenzhen" in str(found.exception)
