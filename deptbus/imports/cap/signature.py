"""The XML signature of an alert: what checking it has shown. It refuses nothing (CAP 1.2, section 3.3.4.1)."""

import binascii
from datetime import datetime
from typing import NamedTuple

import cryptography.exceptions
from cryptography import x509
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.exceptions import InvalidCertificate, InvalidInput, InvalidSignature, SignXMLException
from signxml.verifier import SignatureConfiguration, XMLVerifier

from deptbus.imports.cap.xml import XMLDSIG

_SIGNATURE = f"{{{XMLDSIG}}}Signature"
_CERTIFICATE = f".//{{{XMLDSIG}}}X509Certificate"


class Verdict(NamedTuple):
    """``none``, ``valid`` (the alert is as it was signed), ``invalid`` or ``unverifiable``, and why."""

    verdict: str
    reason: str | None


class _Verifier(XMLVerifier):
    """libxml2 puts ``xmlns=""`` into the inclusive canonical form of a part of a document, where none belongs."""

    excise_empty_xmlns_declarations = True


def check_signature(content: bytes, root: etree._Element, sent: str) -> Verdict:
    """The verdict on the signature that the alert carries, with the key that it carries, as of when it was sent.

    Whose key that is, is not checked: the reason says by what key it is valid. ``content`` is the file, which has been
    parsed as ``root``; only the alert as a whole counts as signed.
    """
    signatures = root.findall(_SIGNATURE)
    if not signatures:
        return Verdict("none", None)
    if len(signatures) > 1:
        return Verdict("unverifiable", f"the alert carries {len(signatures)} signatures; one can be checked")
    configuration = SignatureConfiguration(
        require_x509=False,
        location="./",
        signature_methods=frozenset(SignatureMethod),
        digest_algorithms=frozenset(DigestAlgorithm),
        verification_time=datetime.fromisoformat(sent),
    )
    try:
        certificate = _certificate(signatures[0])
        result = _Verifier().verify(content, x509_cert=certificate, expect_config=configuration)
    except InvalidCertificate as error:
        return Verdict("unverifiable", f"its certificate does not hold: {_said(error)}")
    except (InvalidSignature, cryptography.exceptions.InvalidSignature) as error:
        return Verdict("invalid", _said(error) or "the signature does not fit what it signs")
    except (InvalidInput, SignXMLException, etree.DocumentInvalid, binascii.Error, ValueError) as error:
        return Verdict("unverifiable", _said(error))
    except Exception as error:  # whatever a signature made to confuse provokes, the alert is read
        return Verdict("unverifiable", f"{type(error).__name__}: {_said(error)}")
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
