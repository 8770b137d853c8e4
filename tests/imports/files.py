"""Day files for tests."""

from datetime import date
from pathlib import Path

HEADER = "date,country,countryCode,province,provinceCode,city,cityCode,confirmed,suspected,cured,dead"
FIRST = date(2020, 1, 20)


def row(
    confirmed: object,
    *,
    day: date | str = FIRST,
    province: str = "990000",
    city: str = "示例甲市",
    code: str = "990100",
    country: str = "CN",
) -> str:
    """One line of a day file."""
    name = "示例省" if province else ""
    return f"{day},示例国,{country},{name},{province},{city},{code},{confirmed},0,0,0"


def write(folder: Path, day: date, *rows: str, header: str = HEADER) -> Path:
    """A day file; answers its path."""
    path = folder / f"{day}.csv"
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return path
