"""The notice by version and language: what a backend shows before it passes on that somebody has accepted it."""

from fastapi import APIRouter

from console.api.document import public_problems
from domain.errors import ErrorType, Refusal
from domain.locale import Locale
from domain.model import Model, Sha256Hex, TypedId
from domain.notices import CURRENT_VERSION, NOTICES, Notice

router = APIRouter(tags=["Notices"])


class NoticeListed(Model):
    version: str
    locale: Locale
    sha256: Sha256Hex
    current: bool


class NoticeList(Model):
    notices: tuple[NoticeListed, ...]


@router.get("/notices", responses=public_problems())
async def api_notices() -> NoticeList:
    """Every version in both languages. An owner accepts the current one, in either language."""
    return NoticeList(
        notices=tuple(
            NoticeListed(version=version, locale=locale, sha256=notice.sha256, current=version == CURRENT_VERSION)
            for (version, locale), notice in sorted(NOTICES.items(), reverse=True)
        )
    )


@router.get("/notices/{version}/{locale}", responses=public_problems(ErrorType.NOT_FOUND))
async def api_notice(version: TypedId, locale: Locale) -> Notice:
    """A notice with its text (Markdown). Its `sha256` is what an owner accepts."""
    notice = NOTICES.get((version, locale))
    if notice is None:
        raise Refusal(ErrorType.NOT_FOUND, f"There is no notice {version}; the current one is {CURRENT_VERSION}.")
    return notice
