"""A letter in the vault: as it was sent and cleaned, beside each other, and read with their hashes verified."""

from typing import Final

from domain.letters import Letter, LetterOriginal, LetterType
from domain.model import VaultRef
from gateways.ports import Vault
from service.letters.renderer import RenderedLetter

_EXTENSIONS: Final = {
    LetterType.PDF: "pdf",
    LetterType.JPEG: "jpg",
    LetterType.PNG: "png",
    LetterType.TIFF: "tif",
    LetterType.HEIC: "heic",
    LetterType.WEBP: "webp",
}


def letter_at(stem: str, rendered: RenderedLetter) -> Letter:
    """What is known of a letter whose files begin with `stem`."""
    return Letter(
        path=f"{stem}letter.pdf",
        sha256=rendered.sha256,
        size_bytes=len(rendered.content),
        pages=rendered.pages,
        original=LetterOriginal(
            path=f"{stem}original.{_EXTENSIONS[rendered.original_type]}",
            sha256=rendered.original_sha256,
            media_type=rendered.original_type,
            size_bytes=rendered.original_bytes,
        ),
        signature=rendered.signature,
    )


async def put_letter(vault: Vault, letter: Letter, original: bytes, cleaned: bytes) -> None:
    await vault.put_blob(letter.original.path, original, letter.original.media_type)
    await vault.put_blob(letter.path, cleaned, LetterType.PDF)


async def read_cleaned(vault: Vault, letter: Letter) -> bytes:
    return await vault.read_blob(_cleaned(letter))


async def look_for_cleaned(vault: Vault, letter: Letter) -> None:
    await vault.look(_cleaned(letter), letter.size_bytes)


async def read_original(vault: Vault, letter: Letter) -> bytes:
    """What nothing has made harmless."""
    return await vault.read_blob(VaultRef(path=letter.original.path, sha256=letter.original.sha256))


def _cleaned(letter: Letter) -> VaultRef:
    return VaultRef(path=letter.path, sha256=letter.sha256)
