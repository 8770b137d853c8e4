"""Options that commands of operations share, with one wording, and what they come to."""

from typing import Annotated

import typer

from deptbus.operations.filters import WHERE_HELP
from deptbus.operations.points import HELP

From = Annotated[str, typer.Option("--from", metavar="POINT", help=f"Where it begins: {HELP}.")]
To = Annotated[str, typer.Option("--to", metavar="POINT", help=f"Where it ends: {HELP}.")]
Types = Annotated[list[str] | None, typer.Option("--type", metavar="TYPE", help="Only events of this type; repeat it.")]
Departments = Annotated[
    list[str] | None, typer.Option("--department", help="Only events of this department; repeat it.")
]
Instances = Annotated[
    list[str] | None,
    typer.Option("--instance", metavar="NAME", help="Only events of this instance: epidemic/440100/1; repeat it."),
]
Regions = Annotated[
    list[str] | None, typer.Option("--region", help="Only events of this region or within (GB/T 2260); repeat it.")
]
Since = Annotated[str | None, typer.Option(metavar="TIME", help="Only what happened then or later (ce_time).")]
Until = Annotated[str | None, typer.Option(metavar="TIME", help="Only what happened before (ce_time).")]
Where = Annotated[
    list[str] | None, typer.Option("--where", metavar="CONDITION", help=f"Only events whose fields fit: {WHERE_HELP}.")
]
Json = Annotated[bool, typer.Option("--json", help="For programs.")]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why; it goes on record.")]
Operator = Annotated[str | None, typer.Option(metavar="NAME", help="Who acts; by default the system's user.")]
