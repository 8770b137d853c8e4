"""The verdict on a signature is recorded, and refuses nothing."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree
from signxml import XMLSigner
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod

from tests.imports.cap_files import cap, data, refusals

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _certificate(first: datetime, last: datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Example warning centre")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(KEY.public_key())
        .serial_number(1)
        .not_valid_before(first)
        .not_valid_after(last)
        .sign(KEY, hashes.SHA256())
    )


CERTIFICATE = _certificate(datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 12, 31, tzinfo=UTC))


def _signed(text: str = "", *, certificate: x509.Certificate | None = None, method: str | None = None) -> str:
    signer = XMLSigner(
        signature_algorithm=SignatureMethod.RSA_SHA256,
        digest_algorithm=DigestAlgorithm.SHA256,
        c14n_algorithm=CanonicalizationMethod(method) if method else CanonicalizationMethod.CANONICAL_XML_1_1,
    )
    root = etree.fromstring((text or cap()).encode())
    signed = signer.sign(
        root, key=KEY, cert=[certificate] if certificate else None, always_add_key_value=not certificate
    )
    return etree.tostring(signed, encoding="unicode")


def _verdict(text: str) -> tuple[str, str]:
    said = data(text)
    return said["signature"], said["signature_reason"] or ""


def test_no_signature_is_none() -> None:
    assert _verdict(cap()) == ("none", "")


@pytest.mark.parametrize("method", [None, "http://www.w3.org/2001/10/xml-exc-c14n#"])
def test_what_is_as_it_was_signed_is_valid_by_the_key_it_carries(method: str | None) -> None:
    verdict, reason = _verdict(_signed(method=method))
    assert verdict == "valid"
    assert "the key that the alert itself carries" in reason


def test_a_certificate_says_whose_key_it_was() -> None:
    verdict, reason = _verdict(_signed(certificate=CERTIFICATE))
    assert verdict == "valid"
    assert "CN=Example warning centre" in reason


def test_a_change_after_signing_is_invalid_and_the_alert_is_read() -> None:
    tampered = _signed().replace("Severe", "Minor")
    assert _verdict(tampered)[0] == "invalid"
    assert data(tampered)["severity"] == "Minor"


def test_another_signature_value_is_invalid() -> None:
    text = _signed()
    start = text.index("SignatureValue>") + len("SignatureValue>")
    changed = text[:start] + ("A" if text[start] != "A" else "B") + text[start + 1 :]
    assert _verdict(changed)[0] == "invalid"


def test_a_certificate_that_did_not_hold_when_the_alert_was_sent_cannot_be_relied_on() -> None:
    old = _certificate(datetime(2019, 1, 1, tzinfo=UTC), datetime(2019, 1, 1, tzinfo=UTC) + timedelta(days=30))
    verdict, reason = _verdict(_signed(certificate=old))
    assert verdict == "unverifiable"
    assert "certificate does not hold" in reason


UNVERIFIABLE = {
    "no key": ("<ds:KeyInfo>", "</ds:KeyInfo>", ""),
    "nothing in it": ("<ds:SignedInfo>", "</ds:KeyInfo>", ""),
}


@pytest.mark.parametrize(("first", "last", "instead"), UNVERIFIABLE.values(), ids=UNVERIFIABLE)
def test_what_cannot_be_checked_is_unverifiable_with_a_reason(first: str, last: str, instead: str) -> None:
    text = _signed()
    assert first in text
    broken = text[: text.index(first)] + instead + text[text.index(last) + len(last) :]
    verdict, reason = _verdict(broken)
    assert verdict == "unverifiable"
    assert reason


def test_a_signature_over_a_part_of_the_alert_does_not_vouch_for_it() -> None:
    text = _signed().replace('URI=""', 'URI="#part"')
    assert _verdict(text)[0] in ("invalid", "unverifiable")


def _signatures(*texts: str) -> str:
    """The first text with the signatures of all."""
    found = [text[text.index("<ds:Signature ") : text.index("</ds:Signature>") + 15] for text in texts]
    return texts[0].replace(found[0], "".join(found))


def test_of_two_signatures_each_is_checked_by_itself() -> None:
    by_key, by_certificate = _signed(), _signed(certificate=CERTIFICATE)
    verdict, reason = _verdict(_signatures(by_key, by_certificate))
    assert verdict == "valid"
    assert reason.startswith("signature 1 is valid: by the key")
    assert "signature 2 is valid: by the certificate" in reason
    other = _signed(cap().replace("Severe", "Minor"))
    assert _verdict(_signatures(by_key, other))[0] == "invalid"
    assert _verdict(_signatures(*[by_key] * 4))[0] == "unverifiable"


def test_a_signature_stands_at_the_end() -> None:
    text = _signed()
    signature = text[text.index("<ds:Signature ") : text.index("</ds:Signature>") + len("</ds:Signature>")]
    moved = text.replace(signature, "").replace("<identifier>", f"{signature}<identifier>")
    assert "identifier stands after Signature" in refusals(moved)[0][1]


def test_a_signature_that_would_cost_much_time_is_not_checked() -> None:
    text = _signed()
    start = text.index("<ds:Transform ")
    transform = text[start : text.index("/>", start) + 2]
    verdict, reason = _verdict(text.replace(transform, transform * 5_000, 1))
    assert (verdict, reason) == ("unverifiable", "it has more than 5 transforms")
