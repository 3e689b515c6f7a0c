"""The stamped letter of consent that an enterprise sends: what is kept of it."""

from enum import StrEnum

from domain.model import Count, Model, Sha256Hex


class LetterType(StrEnum):
    """What a letter may come as."""

    PDF = "application/pdf"
    JPEG = "image/jpeg"
    PNG = "image/png"
    TIFF = "image/tiff"
    HEIC = "image/heic"
    WEBP = "image/webp"


class LetterOriginal(Model):
    """The letter as it was sent: evidence that nobody opens."""

    path: str
    sha256: Sha256Hex
    media_type: LetterType
    size_bytes: Count


class SignatureCheck(StrEnum):
    VALID = "VALID"
    """Every signature is by somebody whom a trusted root vouches for, and nothing was changed since."""
    INVALID = "INVALID"
    NOT_VERIFIED = "NOT_VERIFIED"
    """Nobody is trusted here, or it could not be told."""


class LetterSignature(Model):
    """The electronic signatures that the letter carries. `signers` are names, for staff alone."""

    check: SignatureCheck = SignatureCheck.NOT_VERIFIED
    signers: tuple[str, ...] = ()


class Letter(Model):
    """The stamped letter of consent: a PDF of its pages as pictures, which is what people see."""

    path: str
    sha256: Sha256Hex
    size_bytes: Count
    pages: Count
    original: LetterOriginal
    signature: LetterSignature | None = None
