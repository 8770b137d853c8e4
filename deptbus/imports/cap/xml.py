"""Bytes to a tree, safely: no document type, no entities of the file's own, nothing fetched, no huge text or depth."""

import codecs
import re

from lxml import etree

from deptbus.imports.cap.finding import Findings

XMLDSIG = "http://www.w3.org/2000/09/xmldsig#"
_DOCTYPE = "the file has a document type (<!DOCTYPE …>), which no alert needs; none is read"
_PROLOG = re.compile(r"(?>\s+|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE", re.DOTALL)
_DECLARED = re.compile(r"<\?xml[^>]*?\bencoding\s*=\s*[\"']([A-Za-z][A-Za-z0-9._-]*)[\"']")
_DECLARATION_MAX = 400
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_SPACE = re.compile(r"\s+")


def parse(content: bytes, findings: Findings) -> etree._Element | None:
    """The root element without comments and processing instructions; None where ``findings`` says why there is none."""
    if not content.strip():
        findings.refuse(0, "the file is empty")
        return None
    if (line := _doctype_line(content)) is not None:
        findings.refuse(line, _DOCTYPE)
        return None
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        strip_cdata=True,
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        said = [(entry.line, entry.message) for entry in parser.error_log if entry.level_name in ("ERROR", "FATAL")]
        for line, message in said or [(error.lineno or 1, error.msg or "it cannot be read")]:
            findings.refuse(line, f"this is not well-formed XML: {_SPACE.sub(' ', message).strip().rstrip('.')}")
        return None
    except (ValueError, LookupError) as error:  # an encoding that is not known
        findings.refuse(1, f"the file cannot be decoded: {error}")
        return None
    if root.getroottree().docinfo.doctype:
        findings.refuse(1, _DOCTYPE)
        return None
    _check_declaration(content, findings)
    return root


def _doctype_line(content: bytes) -> int | None:
    """Where a document type stands before the root, looked for before anything in it is read."""
    text = _decoded(content)
    found = _PROLOG.match(text)
    return None if found is None else text.count("\n", 0, found.end()) + 1


def _check_declaration(content: bytes, findings: Findings) -> None:
    """A file that says one encoding and begins with the mark of another is broken XML, though parsers read it."""
    marked = next((name for mark, name in _MARKS if content.startswith(mark)), None)
    declared = _DECLARED.match(_decoded(content[:_DECLARATION_MAX]))
    if marked and declared and not declared[1].lower().startswith(marked):
        findings.refuse(1, f"the file declares the encoding {declared[1]}, but is written in {marked.upper()}")


def _decoded(content: bytes) -> str:
    """The text as far as mark-up is concerned, which is ASCII in every encoding but UTF-16."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace")
    if content.startswith(b"<\0"):
        return content.decode("utf-16-le", errors="replace")
    if content.startswith(b"\0<"):
        return content.decode("utf-16-be", errors="replace")
    return content.removeprefix(codecs.BOM_UTF8).decode("latin-1")
