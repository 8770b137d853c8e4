"""Chapters as one HTML page to print and file: no script, nothing from elsewhere, every value escaped. Pure.

Its only style sheet stands in it; ``POLICY`` lets a browser take that one and nothing else. Where it is not taken, the
tables still have their lines.
"""

import base64
import hashlib
from collections.abc import Iterable
from html import escape

from services.dashboard.views.chapters import Cell, Chapter, Lang

_STYLE = (
    "body{font:10pt/1.45 system-ui,'PingFang SC','Noto Sans CJK SC','Microsoft YaHei',sans-serif;color:#111;"
    "margin:2rem;max-width:75rem}"
    "h1{font-size:16pt;margin:0 0 .25rem}h2{font-size:12pt;margin:1.5rem 0 .4rem;page-break-after:avoid}"
    "p.banner{border:2px solid #111;padding:.4rem .6rem;font-weight:bold}"
    "table{border-collapse:collapse;width:100%}caption{text-align:left}"
    "th,td{border:1px solid #888;padding:.2rem .35rem;text-align:left;vertical-align:top;overflow-wrap:anywhere;"
    "font-size:8.5pt}th{background:#eee}tr{page-break-inside:avoid}thead{display:table-header-group}"
    "@page{size:A4 landscape;margin:12mm}@media print{body{margin:0;max-width:none}}"
)
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""The Content-Security-Policy that goes with the page."""


def printed(title: str, banner: str | None, chapters: Iterable[Chapter], lang: Lang) -> bytes:
    """The page. ``banner``: what stands above it where it is not about actual life."""
    body = [f"<h1>{_shown(title)}</h1>"]
    if banner:
        body.append(f'<p class="banner"><strong>{_shown(banner)}</strong></p>')
    body += [part for chapter in chapters for part in _chapter(chapter)]
    return (
        f'<!doctype html>\n<html lang="{"zh-CN" if lang == "zh" else "en"}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{_shown(title)}</title>\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n" + "\n".join(body) + "\n</body>\n</html>\n"
    ).encode()


def _chapter(chapter: Chapter) -> Iterable[str]:
    yield f"<h2>{_shown(chapter.title)}</h2>"
    yield '<table border="1" cellspacing="0" cellpadding="4">'
    heads = "".join(f'<th scope="col">{_shown(column)}</th>' for column in chapter.columns)
    yield f"<thead><tr>{heads}</tr></thead>"
    yield "<tbody>"
    for row in chapter.rows:
        yield f"<tr>{''.join(f'<td>{_shown(cell)}</td>' for cell in row)}</tr>"
    yield "</tbody></table>"


def _shown(cell: Cell) -> str:
    """A value as text; what would turn the reading order around, or is no character at all, is replaced."""
    text = "" if cell is None else str(cell)
    return escape("".join(one if one.isprintable() or one in "\n\t\u3000" else "�" for one in text))
