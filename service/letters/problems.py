"""Why a letter is refused, and what to do about it: the whole list."""

from enum import StrEnum
from typing import Final

from domain.errors import ErrorType, Refusal
from i18n.catalogue import N_, translate

MAX_BYTES: Final = 20 << 20
MAX_PAGES: Final = 20


class LetterProblem(StrEnum):
    """The value is stable; `Refusal.details["because"]` carries it."""

    EMPTY = "EMPTY"
    TOO_LARGE = "TOO_LARGE"
    NOT_A_LETTER = "NOT_A_LETTER"
    OFD = "OFD"
    PASSWORD = "PASSWORD"  # noqa: S105 - not one itself
    TOO_MANY_PAGES = "TOO_MANY_PAGES"
    TOO_MANY_PIXELS = "TOO_MANY_PIXELS"
    CANNOT_BE_RENDERED = "CANNOT_BE_RENDERED"
    """Damaged, or more work than a letter can be: the limited process crashed or came to its limits."""


_WORDS: Final = {
    LetterProblem.EMPTY: N_("The file is empty. Choose the file of the stamped letter again."),
    LetterProblem.TOO_LARGE: N_(
        "The file is larger than 20 MiB. Scan the letter at a lower resolution, or save it as a smaller PDF."
    ),
    LetterProblem.NOT_A_LETTER: N_(
        "The file is not a PDF or a picture (JPEG, PNG, TIFF, HEIC, WebP). Export a document as PDF, or send a scan."
    ),
    LetterProblem.OFD: N_(
        "OFD files cannot be read here. Open the letter in an OFD reader, export (or print) it as PDF, and send that."
    ),
    LetterProblem.PASSWORD: N_("The file opens with a password only. Save it without one and send it again."),
    LetterProblem.TOO_MANY_PAGES: N_("The file has more than 20 pages. Send the stamped letter alone."),
    LetterProblem.TOO_MANY_PIXELS: N_(
        "A picture has more than 120 million pixels. Scan or photograph the letter at a lower resolution."
    ),
    LetterProblem.CANNOT_BE_RENDERED: N_(
        "The file cannot be shown, or is blank: damaged perhaps, or too complex. Scan it again, or print it as PDF."
    ),
}


def words(problem: LetterProblem, locale: str) -> str:
    """What is wrong, and what to do, for whoever sent the letter."""
    return translate(locale, _WORDS[problem])


def refusal(problem: LetterProblem) -> Refusal:
    return Refusal(ErrorType.LETTER_REFUSED, _WORDS[problem], because=problem)
