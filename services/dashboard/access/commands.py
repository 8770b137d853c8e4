"""``deptbus-dashboard users``: who may sign on with a password, which is asked for or read from standard input."""

import sys
from typing import Annotated, Literal

import typer

from deptbus.cli import output
from deptbus.errors import ActRefused, NotFound
from deptbus.settings import Settings
from deptbus.topics.declared import read_departments
from services.dashboard.access.passwords import LENGTH_MAX, LENGTH_MIN, hash_password
from services.dashboard.access.people import ROLES, Role
from services.dashboard.access.users import User, Users, change_users, check_name, read_users, same_name, users_path

app = typer.Typer(
    help="Who may sign on to the dashboard with a password, in which roles, for which departments.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Who signs on; it is kept with every act.")]
Roles = Annotated[
    list[str] | None,
    typer.Option(
        "--role",
        metavar="|".join(ROLES),
        help="A viewer sees, an officer answers tasks, a commander orders, an operator sees how the bus is; repeat it.",
    ),
]
Departments = Annotated[
    list[str] | None,
    typer.Option("--department", metavar="ID", help="Whose incidents are seen and tasks answered; repeat it."),
]
AllDepartments = Annotated[bool, typer.Option("--all-departments", help="Of every department, those to come too.")]
FromInput = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input instead of asking for it.")
]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.command(
    epilog='Example: deptbus-dashboard users add "Li Wei" --role officer --department health;  '
    "pass show duty | deptbus-dashboard users add duty --role commander --all-departments --password-stdin"
)
def add(
    name: Name,
    role: Roles = None,
    department: Departments = None,
    all_departments: AllDepartments = False,
    password_stdin: FromInput = False,
    as_json: AsJson = False,
) -> None:
    """Add a user. The password is asked for twice."""
    settings = Settings.load()
    kept = check_name(name)
    roles = _roles(role)
    if not roles:
        raise ActRefused(f"Say what the user may do: --role {', '.join(ROLES)}; it may be repeated.")
    departments = _departments(settings, department, all_departments)
    if departments is None:
        raise ActRefused("Say for which departments: --department ID, or --all-departments.")
    path = users_path(settings)
    if kept in read_users(path):
        raise _there_already(kept)  # before anybody types a password
    is_first = not path.exists()
    hashed = hash_password(_password(password_stdin))

    def change(users: dict[str, User]) -> None:
        if kept in users:
            raise _there_already(kept)
        users[kept] = User(roles=roles, departments=departments, password=hashed)

    change_users(path, change)
    _tell(as_json, kept, read_users(path)[kept], f"{kept} may sign on now.")
    if is_first:
        output.note("A dashboard that runs without sign-on has to be started again.")


@app.command(
    epilog='Example: deptbus-dashboard users change "Li Wei" --role officer --role viewer --department health '
    "--department hospitals;  deptbus-dashboard users change duty --new-password"
)
def change(
    name: Name,
    role: Roles = None,
    department: Departments = None,
    all_departments: AllDepartments = False,
    new_password: Annotated[
        bool, typer.Option("--new-password", help="Set another password: it ends the user's sessions.")
    ] = False,
    password_stdin: FromInput = False,
    as_json: AsJson = False,
) -> None:
    """Change a user: what is given takes the place of what was. It counts from the user's next request."""
    settings = Settings.load()
    kept = same_name(name)
    path = users_path(settings)
    _find(kept, read_users(path))
    roles = _roles(role)
    departments = _departments(settings, department, all_departments)
    sets_password = new_password or password_stdin
    if not roles and departments is None and not sets_password:
        raise ActRefused("Say what changes: --role, --department, --all-departments or --new-password.")
    hashed = hash_password(_password(password_stdin)) if sets_password else None

    def change(users: dict[str, User]) -> None:
        user = _find(kept, users)
        users[kept] = User(
            roles=roles or user.roles,
            departments=user.departments if departments is None else departments,
            password=hashed or user.password,
        )

    change_users(path, change)
    _tell(as_json, kept, read_users(path)[kept], f"{kept} is changed; it counts from the next request.")


@app.command("list", epilog="Example: deptbus-dashboard users list --json")
def list_users(as_json: AsJson = False) -> None:
    """List everybody who may sign on with a password."""
    path = users_path(Settings.load())
    users = read_users(path)
    if as_json:
        output.json([_shown(name, user) for name, user in users.items()])
    elif not users:
        output.note(f"{path} names no user.")
    else:
        rows = [
            (name, ", ".join(user.roles), "all" if user.departments == "all" else ", ".join(user.departments))
            for name, user in users.items()
        ]
        output.table("", ("name", "roles", "departments"), rows)


@app.command(epilog='Example: deptbus-dashboard users remove "Li Wei"')
def remove(name: Name, as_json: AsJson = False) -> None:
    """Remove a user: from the next request nobody is signed on in that name."""
    path = users_path(Settings.load())
    kept = same_name(name)
    removed: list[User] = []

    def change(users: dict[str, User]) -> None:
        removed.append(_find(kept, users))
        del users[kept]

    change_users(path, change)
    _tell(as_json, kept, removed[0], f"{kept} may not sign on any more.")


def _roles(given: list[str] | None) -> tuple[Role, ...]:
    """The roles that were given, in the order of what they allow."""
    for role in given or ():
        if role not in ROLES:
            raise ActRefused(f"There is no role {role}; there are {', '.join(ROLES)}.")
    return tuple(role for role in ROLES if role in (given or ()))


def _departments(settings: Settings, given: list[str] | None, every: bool) -> tuple[str, ...] | Literal["all"] | None:
    """The departments that were given; None where none were."""
    if given and every:
        raise ActRefused("Give either --department or --all-departments.")
    if every:
        return "all"
    if not given:
        return None
    known, _ = read_departments(settings.root)
    for department in given:
        if department not in known:
            raise NotFound(f"There is no department {department}; there are {', '.join(sorted(known))}.")
    return tuple(dict.fromkeys(given))


def _password(from_input: bool) -> str:
    if from_input:
        line = sys.stdin.readline(LENGTH_MAX + 2)
        return line.removesuffix("\n").removesuffix("\r")
    if not sys.stdin.isatty():
        raise ActRefused("There is no terminal to ask for the password: give it on standard input, --password-stdin.")
    asked: str = typer.prompt(
        f"Password (at least {LENGTH_MIN} characters)", hide_input=True, confirmation_prompt="Once more", err=True
    )
    return asked


def _find(name: str, users: Users) -> User:
    if name in users:
        return users[name]
    raise NotFound(f"There is no user {name}; `deptbus-dashboard users list` shows everybody.")


def _there_already(name: str) -> ActRefused:
    return ActRefused(f"There is a user {name} already; `deptbus-dashboard users change` changes what they may do.")


def _shown(name: str, user: User) -> dict[str, object]:
    departments = "all" if user.departments == "all" else list(user.departments)
    return {"name": name, "roles": list(user.roles), "departments": departments}


def _tell(as_json: bool, name: str, user: User, sentence: str) -> None:
    if as_json:
        output.json(_shown(name, user))
    else:
        output.note(sentence)
