"""Words of the owner's pages for what is no closed list of ours, and for what only they show."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from markdown_it import MarkdownIt

from console.errors import Problem
from domain.accounts import RefusalReason
from domain.checks import ENTITLEMENTS, Check
from domain.errors import NO_ANSWER, ErrorType
from i18n.catalogue import N_, translate
from i18n.formatting import ago, capitalized, listed
from i18n.texts import text
from service.refusals import sentence

_FOR_OWNERS: Final[dict[ErrorType, ErrorType]] = {
    **dict.fromkeys(
        (ErrorType.PROOF_INVALID, ErrorType.PROOF_USED, ErrorType.PROOF_EXPIRED), ErrorType.CHALLENGE_UNKNOWN
    ),
    **dict.fromkeys(NO_ANSWER - {ErrorType.RATE_LIMITED} | {ErrorType.UNEXPECTED_ANSWER}, ErrorType.UNREACHABLE),
}
"""What is wrong behind the service is nothing that an owner can act on: the words of these are said instead."""


class OwnerProblem(Problem):
    """A problem on an owner's page: its own message is for whoever calls the service."""

    def words(self, locale: str) -> str:
        return sentence(_FOR_OWNERS.get(self.type, self.type), self.details, locale)


_WHY_NOT_CLOSED: Final[dict[str, str]] = {
    ErrorType.HOLD_LAPSED: N_("The account could not be locked for long enough."),
    ErrorType.ACCOUNT_UNKNOWN: N_("The platform does not find the account."),
    ErrorType.ACCOUNT_NOT_CLOSABLE: N_("The platform does not let the account be closed now."),
}


def why_not_closed(code: str, locale: str) -> str:
    """For what the platform did not close an account: one of its errors, or a state that the account has come to."""
    if code in set(RefusalReason):
        reason = text(RefusalReason(code), locale)
        return translate(locale, "%(what)s. %(advice)s", what=capitalized(reason.title), advice=reason.advice)
    if code in _WHY_NOT_CLOSED:
        return translate(locale, _WHY_NOT_CLOSED[code])
    return translate(locale, "The platform did not close the account.")


def not_told(codes: Iterable[str], locale: str) -> str:
    """The names of what the platform could not tell: checks, and the list of what is given up."""
    names = (
        translate(locale, "what you would give up") if code == ENTITLEMENTS else text(Check(code), locale).title
        for code in codes
    )
    return listed(names, locale)


def age(instant: datetime, now: datetime, locale: str) -> str:
    """How long ago, roughly; the exact time stands beside it."""
    return ago(now - instant, locale)


def html(markdown: str, *, below: int = 1) -> str:
    """Markdown of ours as HTML, its headings `below` the page's own. Raw HTML in it is shown as text."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(markdown)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{int(token.tag[1]) + below}"
    rendered: str = parser.renderer.render(tokens, parser.options, {})
    return rendered
