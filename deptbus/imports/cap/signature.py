"""The XML signature of an alert: what checking it has shown. It refuses nothing (CAP 1.2, section 3.3.4.1)."""

import binascii
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

import cryptography.exceptions
from cryptography import x509
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.exceptions import InvalidCertificate, InvalidSignature
from signxml.verifier import SignatureConfiguration, XMLVerifier

from deptbus.imports.cap.xml import XMLDSIG

_SIGNATURE = f"{{{XMLDSIG}}}Signature"
_TRANSFORM = f".//{{{XMLDSIG}}}Transform"
_SIGNATURES_MAX = 3
_TRANSFORMS_MAX = 5
"""Each walks through the whole alert once more; signatures of alerts have one or two."""
_CERTIFICATE = f".//{{{XMLDSIG}}}X509Certificate"


class Verdict(NamedTuple):
    """``none``, ``valid`` (the alert is as it was signed), ``invalid`` or ``unverifiable``, and why."""

    verdict: str
    reason: str | None


class _Verifier(XMLVerifier):
    """libxml2 puts ``xmlns=""`` into the inclusive canonical form of a part of a document, where none belongs."""

    excise_empty_xmlns_declarations = True


def check_signatures(content: bytes, root: etree._Element, sent: str) -> Verdict:
    """The verdict on the signatures that the alert carries, with the keys that it carries, as of when it was sent.

    Whose key that is, is not checked: the reason says by what key it is valid. ``content`` is the file, which has been
    parsed as ``root``. Of several signatures each is checked by itself: one that is invalid makes the verdict invalid,
    else one that is valid makes it valid.
    """
    count = len(root.findall(_SIGNATURE))
    if not count:
        return Verdict("none", None)
    if count > _SIGNATURES_MAX:
        return Verdict("unverifiable", f"the alert carries {count} signatures; at most {_SIGNATURES_MAX} are checked")
    if count == 1:
        return _check(content, root, sent)
    found = [_check(alone, etree.fromstring(alone, _parser()), sent) for alone in _each_alone(content, count)]
    verdicts = {one.verdict for one in found}
    verdict = next(verdict for verdict in ("invalid", "valid", "unverifiable") if verdict in verdicts)
    reasons = (f"signature {number} is {one.verdict}: {one.reason}" for number, one in enumerate(found, start=1))
    return Verdict(verdict, "; ".join(reasons))


def _each_alone(content: bytes, count: int) -> Iterator[bytes]:
    """The alert with only its first signature, with only its second, and so on: each was put on without the others."""
    for kept in range(count):
        root = etree.fromstring(content, _parser())
        for number, signature in enumerate(root.findall(_SIGNATURE)):
            if number != kept:
                before = signature.getprevious()
                if before is not None and signature.tail:
                    before.tail = (before.tail or "") + signature.tail
                root.remove(signature)
        yield etree.tostring(root.getroottree(), encoding="UTF-8", xml_declaration=True)


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


def _check(content: bytes, root: etree._Element, sent: str) -> Verdict:
    """The verdict on the one signature of an alert; only the alert as a whole counts as signed."""
    signature = root.find(_SIGNATURE)
    assert signature is not None
    if len(signature.findall(_TRANSFORM)) > _TRANSFORMS_MAX:
        return Verdict("unverifiable", f"it has more than {_TRANSFORMS_MAX} transforms")
    configuration = SignatureConfiguration(
        require_x509=False,
        location="./",
        signature_methods=frozenset(SignatureMethod),
        digest_algorithms=frozenset(DigestAlgorithm),
        verification_time=datetime.fromisoformat(sent),
    )
    try:
        certificate = _certificate(signature)
        # Real signatures have ids that the schema of XML signatures does not allow, such as names with spaces.
        result = _Verifier().verify(content, x509_cert=certificate, expect_config=configuration, validate_schema=False)
    except InvalidCertificate as error:
        return Verdict("unverifiable", f"its certificate does not hold: {_said(error)}")
    except (InvalidSignature, cryptography.exceptions.InvalidSignature) as error:
        return Verdict("invalid", _said(error) or "the signature does not fit what it signs")
    except Exception as error:  # whatever a signature made to confuse provokes, the alert is read
        return Verdict("unverifiable", _said(error) or type(error).__name__)
    if not isinstance(result, list) and result.signed_xml is not None and result.signed_xml.tag == root.tag:
        return Verdict("valid", _by(certificate))
    return Verdict("unverifiable", "it signs a part of the alert only")


def _certificate(signature: etree._Element) -> x509.Certificate | None:
    found = signature.find(_CERTIFICATE)
    if found is None:
        return None
    text = "".join((found.text or "").split())
    return x509.load_der_x509_certificate(binascii.a2b_base64(text))


def _by(certificate: x509.Certificate | None) -> str:
    if certificate is None:
        return "by the key that the alert itself carries; whose it is was not checked"
    subject, issuer = certificate.subject.rfc4514_string(), certificate.issuer.rfc4514_string()
    return f"by the certificate of {subject}, issued by {issuer}; the issuer was not checked"


def _said(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
