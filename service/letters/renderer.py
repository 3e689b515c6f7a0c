"""A letter made harmless: whatever was sent becomes a PDF of pictures of its pages, or is refused with a reason."""

from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Final

from domain.letters import LetterSignature, LetterType
from service.letters.limited import Output, ProgramFailed, run
from service.letters.problems import MAX_BYTES, LetterProblem, refusal

FONTS: Final = Path("/usr/share/fonts")
"""Where fonts are taken from that a letter names and does not carry; the image has Chinese ones there."""
_MAX_CLEANED_BYTES: Final = 40 << 20
_MAX_PICTURE_BYTES: Final = 128 << 20


@dataclass(frozen=True)
class RenderedLetter:
    """`content` is the cleaned PDF, `sha256` its hash; the original is known by its hash, type and size."""

    content: bytes
    sha256: str
    pages: int
    original_sha256: str
    original_type: LetterType
    original_bytes: int
    signature: LetterSignature | None


async def render_letter(data: bytes, *, fonts: Path = FONTS, trust_roots: Path | None = None) -> RenderedLetter:
    """Render all pages, in a process of its own. Raises `Refusal(LETTER_REFUSED)` with a `LetterProblem` as `because`.

    Costs up to 10 s of a CPU and 512 MiB, and as much again for its signatures where there are `trust_roots` (an
    absolute path). The service calls it through `LetterService`.
    """
    if not data:
        raise refusal(LetterProblem.EMPTY)
    if len(data) > MAX_BYTES:
        raise refusal(LetterProblem.TOO_LARGE)
    try:
        made = await run("rendering.py", data, str(fonts), most=_MAX_CLEANED_BYTES)
        letter = _rendered(data, made)
    except (ProgramFailed, KeyError, TypeError, ValueError):
        raise refusal(LetterProblem.CANNOT_BE_RENDERED) from None
    if letter.signature and trust_roots:
        letter = replace(letter, signature=await _verified(data, trust_roots))
    return letter


async def _verified(data: bytes, trust_roots: Path) -> LetterSignature:
    try:
        return LetterSignature.model_validate((await run("verification.py", data, str(trust_roots))).head)
    except (ProgramFailed, ValueError):
        return LetterSignature()


def _rendered(data: bytes, made: Output) -> RenderedLetter:
    if "problem" in made.head:
        raise refusal(LetterProblem(made.head["problem"]))
    return RenderedLetter(
        content=made.content,
        sha256=sha256(made.content).hexdigest(),
        pages=int(made.head["pages"]),
        original_sha256=sha256(data).hexdigest(),
        original_type=LetterType(made.head["media_type"]),
        original_bytes=len(data),
        signature=LetterSignature() if made.head["has_signature"] else None,
    )


async def page_picture(cleaned: bytes, number: int) -> bytes:
    """One page of a cleaned PDF as PNG; pages count from 1. Raises `ProgramFailed`."""
    return (await run("rendering.py", cleaned, str(FONTS), str(number), most=_MAX_PICTURE_BYTES)).content
