"""A small world on disk for the bus's tests: three departments, their topics and schemas, and the bus's own."""

import json
import shutil
from pathlib import Path

import yaml

PROJECT = Path(__file__).parents[2]

DEPARTMENTS = {"ward": "11100000MB9001001R", "lab": "11100000MB90020011", "roads": "11100000MB90030018"}

SCHEMAS = {
    "ward.CaseReported": {
        "doc": "A hospital has reported a case.",
        "fields": [
            {"name": "case", "type": "string", "doc": "Its number."},
            {"name": "count", "type": "int", "doc": "How many.", "default": 1},
            {"name": "reported", "type": {"type": "long", "logicalType": "timestamp-millis"}, "doc": "When.",
             "default": 0},
            {"name": "patient", "doc": "Who.", "default": None, "type": ["null", {
                "type": "record", "name": "Patient", "namespace": "ward", "doc": "A person.", "fields": [
                    {"name": "name", "type": "string", "doc": "The name.", "personal": True},
                    {"name": "age", "type": "int", "doc": "The age in years."},
                ]}]},
            {"name": "note", "type": ["null", "bytes"], "doc": "An attachment.", "default": None},
        ],
    },
    "ward.CaseDiscarded": {
        "doc": "A reported case was none.",
        "fields": [{"name": "case", "type": "string", "doc": "Its number."}],
    },
    "lab.InvestigationOpened": {
        "doc": "An investigation of a case has begun.",
        "fields": [
            {"name": "case", "type": "string", "doc": "The case."},
            {"name": "note", "type": ["null", "bytes"], "doc": "An attachment.", "default": None},
        ],
    },
    "lab.NoteWritten": {
        "doc": "A note, on a topic that takes only small ones.",
        "fields": [{"name": "text", "type": "string", "doc": "The note."}],
    },
}  # fmt: skip

TOPICS = {
    "ward": """\
owner: ward
topics:
  - name: ward.cases
    partitions: 4
    replication: 1
    classification: sensitive
    events: [ward.CaseReported, ward.CaseDiscarded]
    grants:
      - {department: lab, purpose: investigate, legal_basis: "Law art. 1"}
      - {department: roads, purpose: plan, legal_basis: "Law art. 2", until: "2030-06-30", fields: [case, patient.age]}
""",
    "lab": """\
owner: lab
topics:
  - name: lab.investigations
    partitions: 2
    replication: 1
    events: [lab.InvestigationOpened]
  - name: lab.notes
    partitions: 1
    replication: 1
    message_bytes_max: 2KB
    events: [lab.NoteWritten]
""",
}


def write_world(root: Path) -> Path:
    """Write it below ``root``, with the project's own schemas and topics of the bus and of workflows."""
    for owner in ("bus", "workflow"):
        shutil.copytree(PROJECT / "schemas" / owner, root / "schemas" / owner)
        (root / "topics").mkdir(exist_ok=True)
        content = yaml.safe_load((PROJECT / "topics" / f"{owner}.yaml").read_text())
        for topic in content["topics"]:
            topic.pop("grants", None)  # to departments that are not in this world
        (root / "topics" / f"{owner}.yaml").write_text(yaml.safe_dump(content))
    shutil.copytree(PROJECT / "schemas" / "common", root / "schemas" / "common")
    for event_type, content in SCHEMAS.items():
        owner, name = event_type.split(".")
        folder = root / "schemas" / owner / name
        folder.mkdir(parents=True)
        schema = {"type": "record", "name": name, "namespace": owner, **content}
        (folder / "v1.avsc").write_text(json.dumps(schema))
    for owner, text in TOPICS.items():
        (root / "topics" / f"{owner}.yaml").write_text(text)
    for department, code in DEPARTMENTS.items():
        folder = root / "services" / department
        folder.mkdir(parents=True)
        (folder / "department.yaml").write_text(
            f"id: {department}\norg_code: {code}\nlevel: city\nregion: '440100'\n"
            f"titles: {{zh: 部门, en: {department}}}\ninbox: memory\n"
        )
    return root
