"""What differs between two versions is said in words, all of it and nothing else."""

from typing import Any

import pytest
from pydantic import BaseModel

from deptbus.cli.workflows import diff as command
from deptbus.errors import NotFound
from deptbus.settings import Settings
from deptbus.workflow import definition as language
from deptbus.workflow.diff import PLAIN, differences
from deptbus.workflow.diffwords import GROUPS, LABELS, SWITCHES
from tests.workflow.definitions import CASES, line, rule, small, step
from tests.workflow.test_activation import catalogue
from tests.workflow.world import ROOT, pack_of, workflow

GATE = {
    "role": "upper_government", "titles": {"zh": "批准", "en": "Approve"}, "basis": "l", "acknowledge_by": "15m",
    "complete_by": "1h", "approved_by": "government.BanApproved", "rejected_by": "government.BanRejected",
}  # fmt: skip
TIMER = {"timer": "quiet", "after": "1h", "basis": "l"}
STOP = {"from": "hospitals.ResourceShort", "until": "health.ResourceCommitted", "basis": "l"}
POLICE = line("police", "police", region="4403", level="II")
LINES = small().definition.model_dump()["responsibilities"]
RUNG = {"at": "complete_by", "to": "command_post"}
LADDER = [{"at": "acknowledge_by", "to": "command_post"}, RUNG]
CAP = {"category": "Health", "event": {"zh": "疫情", "en": "Epidemic"}}
ROWS = {"of": "facts.cases", "rows": [{"at_least": 1, "gives": "IV"}], "basis": "l"}


def said(before: dict[str, Any], after: dict[str, Any], lang: str = "en") -> list[str]:
    old, new = (small(**changes).content for changes in (before, after))
    return [message.in_(lang) for _, message in differences(old, new)]


DIFFERENT: list[tuple[dict[str, Any], dict[str, Any], list[str], str]] = [
    ({"steps": [step("evacuate", complete_by="30m", acknowledge_by="5m")]},
     {"steps": [step("evacuate", complete_by="45m", acknowledge_by="5m")]},
     ["step evacuate: complete_by 30m → 45m"], "环节 evacuate：办理期限 30m → 45m"),
    ({"rules": [CASES]}, {"rules": [CASES | {"opens": False}]}, ["rule cases: no longer opens instances"],
     "规则 cases：不再启动实例"),
    ({"rules": [CASES]}, {"rules": [CASES, rule("short", "hospitals.ResourceShort")]}, ["new rule short"],
     "新增规则 short"),
    ({"rules": [CASES]}, {"rules": [CASES | {"set": {"cases": "facts.cases + 2", "quiet": "true"}}]},
     ["rule cases: sets cases facts.cases + event.count → facts.cases + 2", "rule cases: now sets quiet = true"],
     "规则 cases：设置 cases facts.cases + event.count → facts.cases + 2"),
    ({"responsibilities": [*LINES, POLICE]},
     {"responsibilities": [*LINES, POLICE | {"unit": {"zh": "市公安局", "en": "city police"}}]},
     ["role police in 4403 at level II: Test → city police"], "角色 police 在 4403 II 级：测试 → 市公安局"),
    ({"responsibilities": [*LINES, POLICE]}, {"responsibilities": [*LINES, POLICE | {"department": "urban"}]},
     ["role police in 4403 at level II: police (Test) → urban (Test)"],
     "角色 police 在 4403 II 级：police（测试） → urban（测试）"),
    ({}, {"responsibilities": [*LINES, POLICE]}, ["role police in 4403 at level II: new, police (Test)"],
     "角色 police 在 4403 II 级：新增 police（测试）"),
    ({}, {"cap": CAP}, ["now writes alerts to the outside"], "可对外预警"),
    ({"cap": CAP}, {}, ["no longer writes alerts to the outside"], "不再对外预警"),
    ({"cap": CAP}, {"cap": CAP | {"category": "Safety"}}, ["alerts to the outside: category Health → Safety"],
     "对外预警：类别 Health → Safety"),
    ({"cap": CAP}, {"cap": CAP | {"event": {"zh": "疫情", "en": "Outbreak"}}},
     ["alerts to the outside: title (en) Epidemic → Outbreak"], "对外预警：英文名称 Epidemic → Outbreak"),
    ({"steps": [step("ban")]}, {"steps": [step("ban", gate=GATE)]},
     ["step ban: now needs the approval of upper_government"], "环节 ban：新增审批，由 upper_government 批准"),
    ({"steps": [step("ban", gate=GATE)]}, {"steps": [step("ban", gate=GATE | {"complete_by": "2h"})]},
     ["step ban: its gate: complete_by 1h → 2h"], "环节 ban：审批：办理期限 1h → 2h"),
    ({"steps": [step("ban", "opened", "level")]}, {"steps": [step("ban", "opened", "rule:cases")]},
     ["step ban: no longer on level", "step ban: now also on rule:cases"], "环节 ban：不再触发于 level"),
    ({"steps": [step("ban")]}, {"steps": [step("ban", takeover=True, only_one=False)]},
     ["step ban: is now taken over when the level changes", "step ban: may now be asked again while a task is open"],
     "环节 ban：级别变化时移交"),
    ({"steps": [step("ban")]}, {"steps": [step("ban", stops=[STOP])]},
     ["step ban: the clock now stops from hospitals.ResourceShort to health.ResourceCommitted"],
     "环节 ban：从 hospitals.ResourceShort 到 health.ResourceCommitted 暂停计时"),
    ({"escalate": LADDER}, {"escalate": [LADDER[0], RUNG | {"after": "2h", "retry": True}]},
     ["rung 2: complete_by to command_post → complete_by after 2h to command_post, asked again"],
     "第 2 级：办理期限报 command_post → 办理期限后 2h 报 command_post，再次下达"),
    ({"escalate": LADDER}, {"escalate": [*LADDER, {"at": "declined", "to": "police", "reassign": True}]},
     ["new rung 3: declined to police, reassigned"], "新增第 3 级 拒绝报 police，改派"),
    ({"steps": [step("ban")]}, {"steps": [step("ban", escalate=LADDER)]},
     ["step ban: has a ladder of its own now", "step ban: rung acknowledge_by to command_post",
      "step ban: rung complete_by to command_post"], "环节 ban：改用自己的升级阶梯"),
    ({"level": ROWS}, {"level": ROWS | {"rows": [{"at_least": 3, "gives": "IV"}]}}, ["the level IV from 1 → 3"],
     "响应级别 IV 起点 1 → 3"),
    ({"timers": [TIMER]}, {"timers": [TIMER | {"after": "2h"}]}, ["timer quiet: after 1h → 2h"],
     "定时 quiet：时长 1h → 2h"),
    ({}, {"closes": "facts.quiet"}, ["the workflow: closes when facts.cases >= 1000 → facts.quiet"],
     "流程：办结条件 facts.cases >= 1000 → facts.quiet"),
    ({}, {"titles": {"zh": "试验", "en": "Test"}}, ["workflow small: title (zh) 测试 → 试验"],
     "流程 small：中文名称 测试 → 试验"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "english", "chinese"), DIFFERENT)
def test_a_difference_is_said(before: dict[str, Any], after: dict[str, Any], english: list[str], chinese: str) -> None:
    assert said(before, after) == english
    assert said(before, after, "zh")[0] == chinese
    assert said(after, after) == said(before, before) == []


def test_the_order_in_the_file_makes_no_difference() -> None:
    steps = [step("one"), step("two")]
    assert said({"steps": steps}, {"steps": steps[::-1]}) == []


def test_what_schemas_have_changed_is_said() -> None:
    content = small().content
    fields = content.fields | {"health.CasesConfirmed": content.fields["health.CasesConfirmed"] | {"more": "int"}}
    found = differences(content, content.model_copy(update={"fields": fields}))
    assert [message.en for _, message in found] == ["more of health.CasesConfirmed none → int"]


@pytest.mark.parametrize("model", [language.Rule, language.Timer, language.Step, language.Gate, language.Fact])
def test_every_field_of_the_language_has_a_word(model: type[BaseModel]) -> None:
    own = {"rule", "timer", "step", "titles", "set", "context", "gate", "escalate", "stops"}
    assert set(model.model_fields) <= own | LABELS.keys() | SWITCHES.keys()


def test_no_part_of_a_definition_is_forgotten() -> None:
    own = {"workflow", "cap", "facts", "level", "rules", "timers", "escalate", "steps", "closes", "responsibilities"}
    assert {*PLAIN, *own} == set(language.Definition.model_fields)


def test_every_difference_belongs_to_a_group() -> None:
    found = differences(pack_of(workflow("leak")).content, pack_of(workflow("epidemic")).content)
    assert {group for group, _ in found} <= GROUPS.keys()
    assert [group for group, _ in found] == sorted((group for group, _ in found), key=list(GROUPS).index)


def test_what_names_nothing_says_how_to_name_it() -> None:
    with pytest.raises(NotFound, match="nowhere names no workflow; write epidemic"):
        command._content(Settings.load(root=ROOT), catalogue(), "nowhere")
