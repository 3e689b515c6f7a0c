"""Letters that were signed electronically: who signed, and what that is worth."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import keys
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import PdfSignatureMetadata, SimpleSigner, fields, signers
from pyhanko_certvalidator.registry import SimpleCertificateStore

from domain.letters import LetterSignature, SignatureCheck
from service.letters.renderer import render_letter
from tests.service.letters.making import pdf

COMPANY = "示例公司 Sample Company"


class Authority:
    """Vouches for companies."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._certified("Authority", self._key, is_authority=True)

    def _certified(self, name: str, key: ec.EllipticCurvePrivateKey, *, is_authority: bool) -> x509.Certificate:
        usage = dict.fromkeys(
            ("key_encipherment", "data_encipherment", "key_agreement", "crl_sign", "encipher_only", "decipher_only"),
            False,
        )
        now = datetime.now(UTC)
        subject, issuer = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each)]) for each in (name, "Authority"))
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=30))
            .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
            .add_extension(
                x509.KeyUsage(digital_signature=True, content_commitment=True, key_cert_sign=is_authority, **usage),
                critical=True,
            )
            .sign(self._key, hashes.SHA256())
        )

    async def sign(self, data: bytes) -> bytes:
        """With the company's seal on the page."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._certified(COMPANY, key, is_authority=False)
        signer = SimpleSigner(
            signing_cert=asn1.Certificate.load(certificate.public_bytes(Encoding.DER)),
            signing_key=keys.PrivateKeyInfo.load(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())),
            cert_registry=SimpleCertificateStore(),  # type: ignore[no-untyped-call]
        )
        signed: Any = await signers.async_sign_pdf(
            IncrementalPdfFileWriter(BytesIO(data)),
            PdfSignatureMetadata(field_name="Seal"),
            signer=signer,
            new_field_spec=fields.SigFieldSpec("Seal", box=(300, 100, 500, 200)),
        )
        return bytes(signed.getvalue())


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def roots(authority: Authority, tmp_path: Path) -> Path:
    file = tmp_path / "roots" / "authority.pem"
    file.parent.mkdir()
    file.write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    return file


@pytest.mark.parametrize("named", [lambda file: file, lambda file: file.parent], ids=["a file", "a folder"])
async def test_a_signature_that_a_trusted_authority_vouches_for_is_valid(
    named: Callable[[Path], Path], authority: Authority, roots: Path
) -> None:
    letter = await render_letter(await authority.sign(pdf()), trust_roots=named(roots))
    assert letter.signature == LetterSignature(check=SignatureCheck.VALID, signers=(COMPANY,))


async def test_a_signature_of_somebody_else_is_not_verified(authority: Authority, roots: Path) -> None:
    letter = await render_letter(await Authority().sign(pdf()), trust_roots=roots)
    assert letter.signature == LetterSignature(check=SignatureCheck.NOT_VERIFIED, signers=(COMPANY,))


async def test_a_letter_that_was_changed_after_it_was_signed_is_not_valid(authority: Authority, roots: Path) -> None:
    changed = (await authority.sign(pdf())).replace(b"Letter of consent", b"Letter of content")
    letter = await render_letter(changed, trust_roots=roots)
    assert letter.signature == LetterSignature(check=SignatureCheck.INVALID, signers=(COMPANY,))


async def test_where_nobody_is_trusted_nobody_is_named(authority: Authority) -> None:
    letter = await render_letter(await authority.sign(pdf()))
    assert letter.signature == LetterSignature(check=SignatureCheck.NOT_VERIFIED)


async def test_trouble_with_verifying_does_not_refuse_a_letter(authority: Authority, roots: Path) -> None:
    await asyncio.to_thread(roots.write_text, "no certificate")
    letter = await render_letter(await authority.sign(pdf()), trust_roots=roots)
    assert letter.signature == LetterSignature(check=SignatureCheck.NOT_VERIFIED)


async def test_a_letter_without_a_signature_has_none(roots: Path) -> None:
    assert (await render_letter(pdf(), trust_roots=roots)).signature is None
