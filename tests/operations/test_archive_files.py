"""Files of archives, without a broker: what is archived is read back; whatever is changed is found and named."""

import io
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import avro.datafile
import avro.io
import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deptbus.errors import ArchiveBroken, ArchiveRefused, ArchiveUnfinished
from deptbus.operations.archive import writing
from deptbus.operations.archive.create import create
from deptbus.operations.archive.disk import Disk
from deptbus.operations.archive.entry import Entry
from deptbus.operations.archive.manifest import MANIFEST, PLAN
from deptbus.operations.archive.reading import Archive
from deptbus.operations.archive.verify import verify
from tests.operations.archives import (
    REQUEST,
    TOPIC,
    Interrupted,
    MemorySource,
    Records,
    SmallDisk,
    archived,
    book,
    held,
    partitions,
    plan,
    spaced,
)

CODECS = st.sampled_from(["deflate", "zstandard", "null"])


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "BLOCK_RECORDS", 3)


def many(count: int = 60) -> Records:
    """Records of one partition that differ."""
    return {
        0: spaced(
            [
                Entry(1 + number % 2, 1000 + number * 10, 2, b"44%04d" % (number % 5), b"\0\0\0\0\7value %d" % number,
                      [("ce_id", b"id-%d" % number), ("odd", None)], None)
                for number in range(count)
            ]
        )
    }  # fmt: skip


@given(partitions(), CODECS, st.integers(1, 2_000))
@settings(max_examples=60)
def test_what_is_archived_is_read_back(records: Records, codec: str, file_bytes: int) -> None:
    with TemporaryDirectory() as name:
        archive = archived(Path(name) / "a", records, codec=codec, file_bytes=file_bytes)
        assert held(archive) == records
        assert verify(archive.folder) == []


@given(partitions(), st.integers(0, 2**32), st.integers(1, 2_000))
@settings(max_examples=150)
def test_any_changed_byte_is_found_and_named(records: Records, seed: int, file_bytes: int) -> None:
    with TemporaryDirectory() as name:
        folder = archived(Path(name) / "a", records, file_bytes=file_bytes).folder
        drawn = random.Random(seed)
        path = drawn.choice([path for path in sorted(folder.rglob("*")) if path.is_file()])
        content = bytearray(path.read_bytes())
        place = drawn.randrange(len(content))
        content[place] ^= 1 << drawn.randrange(8)
        path.write_bytes(content)
        faults = verify(folder)
        assert any(str(path.relative_to(folder)) in fault.file for fault in faults)


@pytest.mark.parametrize("codec", ["deflate", "zstandard", "null"])
def test_a_changed_byte_is_named_by_block_and_record(tmp_path: Path, codec: str) -> None:
    archive = archived(tmp_path / "a", many(), codec=codec)
    [file] = archive.part(TOPIC, 0).files
    block = archive.index(file).blocks[4]
    path = archive.folder / file.file
    content = bytearray(path.read_bytes())
    at = content.index(b"value 13", block.position) if codec == "null" else block.position + block.length // 2
    content[at] ^= 1
    path.write_bytes(content)
    [fault] = verify(archive.folder)
    assert (fault.file, fault.block) == (file.file, 4)
    assert fault.record is not None
    assert fault.offset is not None
    assert block.first <= fault.offset <= block.last
    if codec == "null":
        assert (fault.record, fault.offset) == (1, held_offsets()[13])
    with pytest.raises(ArchiveBroken, match=f"{file.file}, block 4: its bytes are not those that were written"):
        list(archive.entries(TOPIC, 0))


def held_offsets() -> list[int]:
    return [entry.offset for entry in many()[0]]


def test_a_truncated_file_is_named_with_what_is_missing(tmp_path: Path) -> None:
    archive = archived(tmp_path / "a", many())
    [file] = archive.part(TOPIC, 0).files
    block = archive.index(file).blocks[18]
    with (archive.folder / file.file).open("r+b") as cut:
        cut.truncate(block.position + 5)
    faults = [str(fault) for fault in verify(archive.folder)]
    assert len(faults) == 2
    assert faults[0].startswith(f"{file.file}, block 18, record 0 (offset {block.first}): the file ends within it")
    assert "block 19" in faults[1]


def test_missing_unknown_and_longer_files_are_named(tmp_path: Path) -> None:
    archive = archived(tmp_path / "a", many(), file_bytes=500)
    first, second, third, *_ = archive.part(TOPIC, 0).files
    (archive.folder / first.file).unlink()
    (archive.folder / second.index).unlink()
    with (archive.folder / third.file).open("ab") as longer:
        longer.write(b"more")
    (archive.folder / "notes.txt").write_text("mine")
    (archive.folder / archive.manifest.schemas[0].file).unlink()
    faults = [str(fault) for fault in verify(archive.folder)]
    assert f"{first.file}: it is missing" in faults
    assert f"{second.index}: it is missing" in faults
    assert f"{third.file}: 4 bytes follow its last block" in faults
    assert "notes.txt: the manifest does not know this file" in faults
    assert f"{archive.manifest.schemas[0].file}: it is missing" in faults


def test_other_avro_readers_read_the_files(tmp_path: Path) -> None:
    records = many()
    archive = archived(tmp_path / "a", records)
    [file] = archive.part(TOPIC, 0).files
    content = (archive.folder / file.file).read_bytes()
    values = [entry.value for entry in records[0]]
    assert [record["value"] for record in fastavro.reader(io.BytesIO(content))] == values
    with avro.datafile.DataFileReader(io.BytesIO(content), avro.io.DatumReader()) as reader:
        assert [record["value"] for record in reader] == values


def test_the_sums_are_those_of_sha256sum(tmp_path: Path) -> None:
    archive = archived(tmp_path / "a", many(), file_bytes=500)
    said = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"],
        cwd=archive.folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.count(": OK") == len(list(archive.manifest.files())) + 1


def test_an_interrupted_archive_goes_on_and_is_the_same_as_one_that_was_not(tmp_path: Path) -> None:
    records = many()
    once = archived(tmp_path / "once", records, file_bytes=500)
    with pytest.raises(Interrupted):
        archived(tmp_path / "twice", records, MemorySource(records, stop=40), file_bytes=500)
    with pytest.raises(ArchiveRefused, match="not finished; give the command that made it again"):
        Archive(tmp_path / "twice")
    rest = MemorySource(records)
    twice = archived(tmp_path / "twice", records, rest, file_bytes=500)
    assert rest.given < 60
    assert held(twice) == records
    assert _files(once.folder) == _files(twice.folder)


def test_a_finished_file_that_was_changed_meanwhile_is_written_again(tmp_path: Path) -> None:
    records = many()
    with pytest.raises(Interrupted):
        archived(tmp_path / "a", records, MemorySource(records, stop=50), file_bytes=500)
    second = sorted(tmp_path.rglob("*.avro"))[1]
    content = bytearray(second.read_bytes())
    content[-20] ^= 1
    second.write_bytes(content)
    archive = archived(tmp_path / "a", records, file_bytes=500)
    assert held(archive) == records
    assert verify(archive.folder) == []


def test_a_process_that_ends_just_before_its_plan_is_gone_leaves_a_whole_archive(tmp_path: Path) -> None:
    records = many()
    archive = archived(tmp_path / "a", records)
    (archive.folder / PLAN).write_bytes(plan(records).to_json())
    assert verify(archive.folder) == []
    rest = MemorySource(records)
    assert held(archived(tmp_path / "a", records, rest)) == records
    assert rest.given == 0
    assert not (archive.folder / PLAN).exists()


def test_on_a_full_disk_what_stands_is_whole_and_the_same_command_goes_on(tmp_path: Path) -> None:
    records = many()
    folder = tmp_path / "a"
    with pytest.raises(ArchiveUnfinished, match=r"disk of .* is full; what is archived so far is whole"):
        archived(folder, records, file_bytes=500, disk=SmallDisk(folder, 6_000))
    assert (folder / PLAN).exists()
    assert not (folder / MANIFEST).exists()
    assert not list(folder.rglob("*.part"))
    finished = len(list(folder.rglob("*.avro")))
    assert finished > 0
    rest = MemorySource(records)
    assert held(archived(folder, records, rest, file_bytes=500)) == records
    assert rest.given < len(records[0])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB of its own."""
    path = tmp_path / "disk"
    path.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", path], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    yield path
    subprocess.run(["umount", path], check=True)


def test_a_disk_that_is_full_loses_nothing_that_was_finished(small_disk: Path) -> None:
    records = many(4_000)
    folder = small_disk / "a"
    with pytest.raises(ArchiveUnfinished, match="is full; what is archived so far is whole"):
        archived(folder, records, file_bytes=4_000, disk=Disk(folder), codec="null")
    assert not list(folder.rglob("*.part"))
    subprocess.run(["mount", "-o", "remount,size=16m", small_disk], check=True)
    rest = MemorySource(records)
    archive = archived(folder, records, rest, file_bytes=4_000, disk=Disk(folder), codec="null")
    assert 0 < rest.given < len(records[0])
    assert held(archive) == records


def test_a_folder_that_holds_something_else_is_refused(tmp_path: Path) -> None:
    records = many(5)
    archive = archived(tmp_path / "a", records)
    with pytest.raises(ArchiveRefused, match="holds a finished archive, made 2020-01-24"):
        archived(tmp_path / "a", records)
    assert verify(archive.folder) == []
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "letter").write_text("mine")
    with pytest.raises(ArchiveRefused, match="is not empty and holds no archive"):
        archived(tmp_path / "b", records)
    with pytest.raises(ArchiveRefused, match="There is no archive in"):
        Archive(tmp_path / "b")
    with pytest.raises(Interrupted):
        archived(tmp_path / "c", records, MemorySource(records, stop=1))
    with pytest.raises(ArchiveRefused, match=r"unfinished archive of something else \(to end\)"):
        create(tmp_path / "c", lambda: plan(records), REQUEST | {"to": "@5"}, MemorySource(records), book())


def test_a_stretch_of_an_archive_is_found_by_offset_and_by_time(tmp_path: Path) -> None:
    records = many()
    archive = archived(tmp_path / "a", records, file_bytes=500)
    offsets = [entry.offset for entry in records[0]]
    some = [entry for block in archive.entries(TOPIC, 0, (offsets[10], offsets[20])) for entry in block]
    assert some == records[0][10:20]
    assert archive.at_time(TOPIC, 1000 + 255) == {0: offsets[26]}
    assert archive.at_time(TOPIC, 0) == {0: offsets[0]}
    assert archive.at_time(TOPIC, 10**9) == {0: 100}
    assert archive.find(TOPIC, "id-30") == (0, offsets[30], 1300)
    assert archive.find(TOPIC, "id-99") is None


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in _walk(folder)}


def _walk(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())
