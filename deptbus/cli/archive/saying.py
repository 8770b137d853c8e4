"""What the commands about archives share: words in two languages, and how fast."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from deptbus.cli import output
from deptbus.clock import iso
from deptbus.operations.archive.manifest import Manifest, Part

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the archive.")]
Rate = Annotated[int, typer.Option(min=0, help="So many events a second at most; 0 for no bound.")]


Why = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why; it goes on record.")]


def word(name: str, lang: str) -> str:
    """A column or a sentence in the reader's language."""
    return _WORDS["zh" if lang == "zh" else "en"][name]


def table(manifest: Manifest, lang: str) -> None:
    """What an archive holds, partition by partition."""
    columns = [word(name, lang) for name in ("partition", "records", "offsets", "from", "to", "size", "content")]
    rows = [
        (
            f"{topic}[{number}]", part.records, f"{part.start}-{part.end}", *_times(part),
            f"{sum(file.size for file in part.files):,}", part.evidence.content.hex()[:12],
        )
        for topic, number, part in manifest.parts()
    ]  # fmt: skip
    output.table(f"{manifest.id}  {manifest.made}", columns, rows)
    for group, topics in manifest.groups.items():
        count = sum(len(offsets) for offsets in topics.values())
        output.note(word("group", lang).format(group=group, count=count))
    if manifest.unknown_ids:
        output.note(word("unknown", lang).format(ids=", ".join(map(str, manifest.unknown_ids))))


def data(manifest: Manifest) -> Mapping[str, object]:
    """The same for programs."""
    return {
        "id": manifest.id,
        "made": manifest.made,
        "cluster": manifest.cluster,
        "namespace": manifest.namespace,
        "records": manifest.records,
        "partitions": [
            {
                "topic": topic,
                "partition": number,
                "records": part.records,
                "start": part.start,
                "end": part.end,
                "bytes": sum(file.size for file in part.files),
                "files": len(part.files),
                "content": part.evidence.content.hex(),
                **dict(zip(("from", "to"), _times(part), strict=True)),
            }
            for topic, number, part in manifest.parts()
        ],
        "schemas": [{"id": schema.id, "type": schema.type} for schema in manifest.schemas],
        "unknown_schema_ids": list(manifest.unknown_ids),
        "groups": {
            group: {
                topic: {str(number): offset for number, offset in offsets.items()} for topic, offsets in topics.items()
            }
            for group, topics in manifest.groups.items()
        },
    }


def _times(part: Part) -> tuple[str | None, str | None]:
    if not part.files:
        return None, None
    first, last = min(file.min_ms for file in part.files), max(file.max_ms for file in part.files)
    return iso(max(0, first)), iso(max(0, last))


_WORDS = {
    "en": {
        "archiving": "Archiving", "checking": "Checking", "restoring": "Restoring", "partition": "partition",
        "records": "records", "offsets": "offsets", "from": "from", "to": "to", "size": "bytes", "content": "content",
        "group": "Positions of {group} in {count} partitions.",
        "unknown": "The registry did not know the schema ids {ids}; such values are kept as they are.",
        "made": "{records} records are archived in {folder}.",
        "sound": "{records} records in {files} files are as they were written.",
        "broken": "{count} things are wrong in {folder}.",
        "gone on": "The restore had been begun before; it was gone on with.",
        "restored": "{records} records are restored and read back: counts, content and each key's order are those of "
        "the archive.",
        "differ": "{count} differences between topics and archive; the topics keep the settings of a restore.",
        "kept": "{topics} kept for ever: the records are older than the topic's retention and would go at once; "
        "`deptbus topics apply` brings it back.",
        "committed": "Positions of {group} are set in {count} partitions and read back.",
        "ids": "{count} schemas have other ids in this registry; the frames of values name these.",
        "dry": "Nothing was written (--dry-run).",
        "filled": "to use up", "gaps": "gaps", "target": "ends at", "plan": "Would be restored",
        "limited": "{limit} are shown; --limit shows more.",
    },
    "zh": {
        "archiving": "归档中", "checking": "校验中", "restoring": "恢复中", "partition": "分区",
        "records": "记录数", "offsets": "位移", "from": "起", "to": "止", "size": "字节", "content": "内容散列",
        "group": "消费组 {group} 在 {count} 个分区的位移。",
        "unknown": "模式注册中心没有编号为 {ids} 的模式；这些值按原样保存。",
        "made": "{records} 条记录已归档到 {folder}。",
        "sound": "{files} 个文件中的 {records} 条记录与写入时一致。",
        "broken": "{folder} 中有 {count} 处错误。",
        "gone on": "此前已开始的恢复已继续完成。",
        "restored": "{records} 条记录已恢复并读回核对：条数、内容和每个键的次序与归档一致。",
        "differ": "主题与归档有 {count} 处不同；主题保留恢复期间的设置。",
        "kept": "{topics} 永久保留：记录早于主题的保留期限，否则会立即被清除；可用 `deptbus topics apply` 恢复原设置。",
        "committed": "消费组 {group} 在 {count} 个分区的位移已设置并读回核对。",
        "ids": "{count} 个模式在此注册中心的编号不同；值的帧头已相应改写。",
        "dry": "未写入任何内容（--dry-run）。",
        "filled": "待占用位移", "gaps": "间隙", "target": "当前末位移", "plan": "将要恢复",
        "limited": "已显示 {limit} 条；用 --limit 显示更多。",
    },
}  # fmt: skip
