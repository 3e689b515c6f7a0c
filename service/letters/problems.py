"""Why a letter is refused, and what to do about it: the whole list."""

from enum import StrEnum
from typing import Final

from domain.errors import ErrorType, Refusal
from domain.locale import Locale, pick

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
    LetterProblem.EMPTY: (
        "文件是空的。请重新选择加盖公章的同意书文件。",
        "The file is empty. Choose the file of the stamped letter again.",
    ),
    LetterProblem.TOO_LARGE: (
        "文件超过 20 MiB。请降低分辨率后重新扫描，或另存为较小的 PDF。",
        "The file is larger than 20 MiB. Scan the letter at a lower resolution, or save it as a smaller PDF.",
    ),
    LetterProblem.NOT_A_LETTER: (
        "文件不是 PDF 或图片。Word、WPS 等文档请先导出为 PDF；也可以上传扫描件或照片（JPEG、PNG、TIFF、HEIC、WebP）。",
        "The file is not a PDF or a picture (JPEG, PNG, TIFF, HEIC, WebP). Export a document as PDF, or send a scan.",
    ),
    LetterProblem.OFD: (
        "暂不支持 OFD 文件。请在 OFD 阅读器中将其导出（或打印）为 PDF 后上传。",
        "OFD files cannot be read here. Open the letter in an OFD reader, export (or print) it as PDF, and send that.",
    ),
    LetterProblem.PASSWORD: (
        "文件需要密码才能打开。请取消密码后另存，再上传。",
        "The file opens with a password only. Save it without one and send it again.",
    ),
    LetterProblem.TOO_MANY_PAGES: (
        "文件超过 20 页。请只上传加盖公章的同意书。",
        "The file has more than 20 pages. Send the stamped letter alone.",
    ),
    LetterProblem.TOO_MANY_PIXELS: (
        "图片超过 1.2 亿像素。请降低分辨率后重新扫描或拍摄。",
        "A picture has more than 120 million pixels. Scan or photograph the letter at a lower resolution.",
    ),
    LetterProblem.CANNOT_BE_RENDERED: (
        "文件无法显示，或页面全是空白：可能已损坏或过于复杂。请重新扫描，或打印为 PDF 后上传。",
        "The file cannot be shown, or is blank: damaged perhaps, or too complex. Scan it again, or print it as PDF.",
    ),
}


def words(problem: LetterProblem, locale: Locale) -> str:
    """What is wrong, and what to do, for whoever sent the letter."""
    return pick(locale, *_WORDS[problem])


def refusal(problem: LetterProblem) -> Refusal:
    return Refusal(ErrorType.LETTER_REFUSED, _WORDS[problem][1], because=problem)
