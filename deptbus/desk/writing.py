"""What commanders write: levels, times, deadlines, lengths of time. Pure."""

import re

from deptbus.clock import beijing, from_iso
from deptbus.desk.refused import Refused
from deptbus.workflow.definition import LEVELS, split_duration
from deptbus.workflow.said import Said

_LENGTH = re.compile(r"[1-9][0-9]*(?:m|h|d)")
_SPELLED = {"Ⅰ": "I", "Ⅱ": "II", "Ⅲ": "III", "Ⅳ": "IV", "1": "I", "2": "II", "3": "III", "4": "IV"} | dict(
    zip("一二三四", ("I", "II", "III", "IV"), strict=True)
)


def parse_level(text: str) -> str:
    """``I`` to ``IV`` of what a person writes: II, Ⅱ, 2, 二, 二级; ``Refused``."""
    plain = text.strip().removesuffix("级")
    level = _SPELLED.get(plain, plain.upper())
    if level not in LEVELS:
        raise Refused(
            Said(
                f"“{text}”不是响应级别；应为 Ⅰ（最高）、Ⅱ、Ⅲ 或 Ⅳ。",
                f"{text} is no response level; write I (highest), II, III or IV.",
            )
        )
    return level


def parse_time(text: str, see: str) -> int:
    """An RFC 3339 time with a zone, in milliseconds; ``Refused``."""
    try:
        return from_iso(text.strip())
    except ValueError:
        raise Refused(
            Said(
                f"“{text}”不是有效时间；应带时区，如 2020-01-24T12:00:00+08:00。",
                f"{text} is no time with a zone, such as 2020-01-24T12:00:00+08:00.",
            ),
            see=see,
        ) from None


def parse_length(text: str, see: str) -> int:
    """A length of time such as ``30m``, ``4h`` or ``2d``, in milliseconds; ``Refused``."""
    if not _LENGTH.fullmatch(text.strip()):
        raise Refused(
            Said(
                f"“{text}”不是有效时长；应如 30m、4h 或 2d。", f"{text}: write a length of time such as 30m, 4h or 2d."
            ),
            see=see,
        )
    return split_duration(text.strip())[0]


def parse_deadline(text: str, present_ms: int, see: str = "") -> int:
    """A later deadline: an RFC 3339 time, or ``+4h`` after the present one; ``Refused``."""
    plain = text.strip()
    try:
        later = plain.startswith("+") and _LENGTH.fullmatch(plain[1:])
        found = present_ms + split_duration(plain[1:])[0] if later else from_iso(plain)
    except ValueError:
        raise Refused(
            Said(
                f"“{text}”不是有效时间；应如 2020-01-24T12:00:00+08:00，或 +4h。",
                f"{text}: write a time such as 2020-01-24T12:00:00+08:00, or +4h.",
            ),
            see=see,
        ) from None
    if found <= present_ms:
        raise Refused(
            Said(
                f"{beijing(found)} 不晚于任务的现有期限 {beijing(present_ms)}，不构成延期。",
                f"{beijing(found)} is no extension: the task has until {beijing(present_ms)} already.",
            ),
            see=see,
        )
    return found
