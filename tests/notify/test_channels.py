"""notifications.yaml: what is found, and what is refused with file and line."""

from pathlib import Path

import pytest

from deptbus.catalogue import Catalogue, load_catalogue
from deptbus.clock import system_clock
from deptbus.errors import CatalogueError, NotFound, SettingsError
from deptbus.notify.channels import choose, find, load_channels
from deptbus.notify.secrets import generated_path, read_secrets
from deptbus.notify.signing import new_secret, parse_secret
from deptbus.settings import Settings
from tests.broker import ROOT

HOOK = "https://duty.example.gov/hook"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(ROOT, system_clock())


def write(root: Path, *lines: str, department: str = "health") -> Path:
    """A notifications.yaml with one channel of these lines, beginning in line 3."""
    folder = root / "services" / department
    folder.mkdir(parents=True, exist_ok=True)
    workflow = root / "services" / "workflows" / "epidemic" / "workflow.yaml"
    workflow.parent.mkdir(parents=True, exist_ok=True)
    workflow.touch()
    text = "\n".join(["# whom to tell", "channels:", "  - name: duty", *(f"    {line}" for line in lines)])
    (folder / "notifications.yaml").write_text(text + "\n")
    return root


def test_the_projects_own_channels_are_well(catalogue: Catalogue) -> None:
    found = [channel.id for channel in load_channels(ROOT, catalogue, system_clock())]
    assert {"command/log", "government/log"} <= set(found)


def test_a_file_is_found_and_reads_only_what_it_asks_for(tmp_path: Path, catalogue: Catalogue) -> None:
    root = write(tmp_path, "kind: webhook", f"url: {HOOK}", "secrets: [{env: DUTY}]", "what: [task_requested]")
    (channel,) = load_channels(root, catalogue, system_clock())
    assert (channel.id, channel.group, channel.topics) == ("health/duty", "notify.health.duty", ("workflow.tasks",))
    assert channel.part.concerns == ("own",)
    assert channel.target(tmp_path) == "https://duty.example.gov"
    assert choose([channel], []) == [channel] == choose([channel], ["health"])
    assert find([channel], "health/duty") is channel
    with pytest.raises(NotFound, match="police has no channel"):
        choose([channel], ["police"])
    with pytest.raises(NotFound, match="there are health/duty"):
        find([channel], "duty")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["kind: pager", "what: [task_requested]"], r"line 4: channels\.0\.kind is not usable"),
        (["kind: file", "what: [task_requested]"], r"line 3: the channel duty writes a file; add its path"),
        (["kind: file", "path: x", "what: [task_lost]"], r"line 6: channels\.0\.what\.0 is not usable"),
        (["kind: file", "path: x", "what: []"], r"line 6: channels\.0\.what is not usable"),
        (["kind: file", "path: ../x", "what: [task_requested]"], r"line 5: the path leads out"),
        (["kind: file", "path: x", f"url: {HOOK}", "what: [task_requested]"], r"line 6: url belongs to"),
        (["kind: webhook", "what: [task_requested]"], r"line 3: the channel duty calls a webhook; add its url"),
        (["kind: webhook", f"url: {HOOK}", "what: [task_requested]"], r"line 5: a receiver on another machine needs"),
        (["kind: webhook", "url: ftp://x/y", "what: [task_requested]"], r"line 5: a url is https"),
        (["kind: webhook", "url: 'http://x:y/'", "what: [task_requested]"], r"line 5: the url cannot be read"),
        (["kind: webhook", "url: 'https://me:pw@x/'", "what: [task_requested]"], r"line 5: a url holds no user"),
        (
            ["kind: webhook", "url: 'http://10.0.0.7/'", "secrets: [{env: A}]", "what: [task_requested]"],
            r"line 5: http to another machine",
        ),
        (
            ["kind: webhook", f"url: {HOOK}", "secrets:", "  - env: A", "    file: b", "what: [task_requested]"],
            r"line 7: a secret names either env or file",
        ),
        (
            ["kind: webhook", f"url: {HOOK}", "secrets: [whsec_abc]", "what: [task_requested]"],
            r"line 6: channels\.0\.secrets\.0 is not usable",
        ),
        (["kind: file", "path: x", "what: [task_requested]", "regions: [Guangdong]"], r"line 7: .*GB/T 2260 code"),
        (["kind: file", "path: x", "what: [task_requested]", "workflows: [plague]"], r"line 7: there is no workflow"),
        (["kind: file", "path: x", "what: [task_requested]", "in_exercise: [a]"], r"line 7: .*is not known here"),
        (
            ["kind: file", "path: x", "what:", "  - task_requested", "  - instance_opened"],
            r"line 8: instance_opened stands on workflow\.events, and no grant of it to health is in force",
        ),
    ],
)
def test_what_is_wrong_is_named_with_file_and_line(
    tmp_path: Path, catalogue: Catalogue, lines: list[str], said: str
) -> None:
    with pytest.raises(CatalogueError, match=rf"^services/health/notifications\.yaml, {said}"):
        load_channels(write(tmp_path, *lines), catalogue, system_clock())


def test_plain_http_is_for_this_machine_or_said_to_be_meant(tmp_path: Path, catalogue: Catalogue) -> None:
    for url in ("http://127.0.0.1:9/x", "http://localhost/x", "http://[::1]:9/x"):
        write(tmp_path, "kind: webhook", f"url: '{url}'", "what: [task_requested]")
        assert load_channels(tmp_path, catalogue, system_clock())
    write(
        tmp_path, "kind: webhook", "url: http://10.0.0.7/", "plain_http: true", "secrets: [{env: A}]",
        "what: [task_requested]",
    )  # fmt: skip
    assert load_channels(tmp_path, catalogue, system_clock())


def test_two_channels_of_one_name_are_refused(tmp_path: Path, catalogue: Catalogue) -> None:
    root = write(tmp_path, "kind: file", "path: x", "what: [task_requested]")
    path = root / "services" / "health" / "notifications.yaml"
    path.write_text(path.read_text() + "  - {name: duty, kind: file, path: y, what: [task_requested]}\n")
    with pytest.raises(CatalogueError, match=r"line 7: the channel duty stands twice"):
        load_channels(root, catalogue, system_clock())


def test_a_secret_for_this_machine_is_generated_once_for_its_owner_only(tmp_path: Path, catalogue: Catalogue) -> None:
    root = write(tmp_path, "kind: webhook", "url: 'http://127.0.0.1:9/'", "what: [task_requested]")
    (channel,) = load_channels(root, catalogue, system_clock())
    settings = Settings.load(root=root)
    (secret,) = read_secrets(channel, settings)
    path = generated_path(channel, settings)
    assert path.is_relative_to(root / ".run")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [secret] == read_secrets(channel, settings) == [parse_secret(path.read_text())]
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_secrets_come_from_variables_and_files_in_their_order(
    tmp_path: Path, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write(
        tmp_path, "kind: webhook", f"url: {HOOK}", "secrets: [{env: DUTY_NEW}, {file: old.txt}]",
        "what: [task_requested]",
    )  # fmt: skip
    (channel,) = load_channels(root, catalogue, system_clock())
    settings = Settings.load(root=root)
    new, old = new_secret(bytes(32)), new_secret(bytes(range(32)))
    with pytest.raises(SettingsError, match=r"line 3: health/duty signs with \$DUTY_NEW, which is not set"):
        read_secrets(channel, settings)
    monkeypatch.setenv("DUTY_NEW", new)
    with pytest.raises(SettingsError, match=r"old\.txt, which cannot be read: No such file"):
        read_secrets(channel, settings)
    (root / ".run").mkdir()
    (root / ".run" / "old.txt").write_text("hunter2")
    with pytest.raises(SettingsError, match=r"old\.txt is not usable: a secret") as refused:
        read_secrets(channel, settings)
    assert "hunter2" not in str(refused.value)
    (root / ".run" / "old.txt").write_text(old + "\n")
    assert read_secrets(channel, settings) == [parse_secret(new), parse_secret(old)]
