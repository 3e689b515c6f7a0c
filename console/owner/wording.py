"""Words of the owner's pages for what is no closed list of ours, and for what only they show."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from markdown_it import MarkdownIt

from console.errors import Problem
from domain.accounts import RefusalReason
from domain.checks import ENTITLEMENTS, Check, Marketplace
from domain.errors import ErrorType
from domain.locale import Locale, pick
from i18n.texts import text

_NAMES: Final[dict[str, tuple[str, str]]] = {
    "access_key": ("访问密钥", "access keys"),
    "sub_user": ("子用户", "sub-users"),
    "session": ("登录会话", "sessions"),
    "wechat": ("微信绑定", "WeChat binding"),
    "qq": ("QQ 绑定", "QQ binding"),
    "github": ("GitHub 绑定", "GitHub binding"),
    "voucher": ("代金券", "vouchers"),
    "pickup_voucher": ("提货券", "pick-up vouchers"),
    "qualification": ("资格", "qualifications"),
    "discount": ("折扣", "discounts"),
    "vm": ("云主机", "virtual machines"),
    "disk": ("云硬盘", "disks"),
    "eip": ("弹性公网 IP", "public IP addresses"),
    "rds": ("云数据库", "databases"),
    "oss": ("对象存储", "object storage"),
    "cdn": ("CDN", "CDN"),
    "key-pair": ("密钥对", "key pairs"),
    "security-group": ("安全组", "security groups"),
    "name": ("姓名", "name"),
    "phone": ("手机号", "phone number"),
    "email": ("邮箱地址", "e-mail address"),
    "real_name": ("实名信息", "real-name record"),
    "messages": ("消息", "messages"),
    "certificates": ("证明", "certificate"),
    "transactions": ("交易记录", "transaction records"),
    "invoices": ("发票", "invoices"),
    "access-logs": ("访问日志", "access logs"),
    "cancellation-evidence": ("本次注销的凭据", "evidence of this cancellation"),
}

_NO_ANSWER: Final = "The service did not answer. Nothing is lost: try again in a little while."
_ANOTHER_CODE: Final = "That did not go through. Get another code."

_REFUSALS: Final[dict[ErrorType, str]] = {
    ErrorType.WRONG_PHASE: "This step is not possible now.",
    ErrorType.CHANNEL_NOT_VERIFIED: "This contact is not verified for the account. Choose another one.",
    ErrorType.STALE_NOTICE: "The notice has changed. Read the one in force, and accept that.",
    ErrorType.STALE_REPORT: "The conditions have been checked again since. Look at the new result, then go on.",
    ErrorType.IDENTITY_STALE: "Identity was proved too long ago, or by somebody else. Prove it again, then confirm.",
    ErrorType.NOT_NOW: "This cannot be done just now, which is not your fault. Nothing was changed.",
    ErrorType.TICKET_NOT_ALLOWED: "A ticket cannot be filed now.",
    ErrorType.TICKET_MISMATCH: "This ticket does not fit the account. File it again.",
    ErrorType.POINT_OF_NO_RETURN: "This is past the point of no return: it can no longer be withdrawn.",
    ErrorType.CODE_WRONG: "This is not the code. Look at it again, and enter it once more.",
    ErrorType.CODE_EXPIRED: "The code has expired. Get another one.",
    ErrorType.CODE_LOCKED: "Too many wrong tries: this code no longer counts. Get another one.",
    ErrorType.CHALLENGE_UNKNOWN: "This code no longer counts. Get another one.",
    ErrorType.RESEND_TOO_SOON: "It is too soon for another code.",
    ErrorType.DAILY_CODE_LIMIT: "No more codes can be sent today. Try again tomorrow.",
    ErrorType.PROOF_INVALID: _ANOTHER_CODE,
    ErrorType.PROOF_USED: _ANOTHER_CODE,
    ErrorType.PROOF_EXPIRED: _ANOTHER_CODE,
    ErrorType.UNREACHABLE: _NO_ANSWER,
    ErrorType.SERVICE_UNAVAILABLE: _NO_ANSWER,
    ErrorType.CREDENTIALS_REFUSED: _NO_ANSWER,
    ErrorType.VAULT_UNAVAILABLE: _NO_ANSWER,
    ErrorType.ANSWER_UNREADABLE: _NO_ANSWER,
    ErrorType.UNEXPECTED_ANSWER: _NO_ANSWER,
}
"""For owners, in English: an error's own message is for whoever calls the service."""


def for_owners(problem: Problem) -> Problem:
    return replace(problem, message=_REFUSALS.get(problem.type, problem.message))


_WHY_NOT_CLOSED: Final[dict[str, tuple[str, str]]] = {
    ErrorType.HOLD_LAPSED: ("锁定账号多次超时。", "The account could not be held still for long enough."),
    ErrorType.ACCOUNT_UNKNOWN: ("平台没有找到该账号。", "The platform does not find the account."),
    ErrorType.ACCOUNT_NOT_CLOSABLE: (
        "平台目前不允许关闭该账号。",
        "The platform does not let the account be closed now.",
    ),
}


def why_not_closed(code: str, locale: Locale) -> str:
    """For what the platform did not close an account: one of its errors, or a state that the account has come to."""
    if code in set(RefusalReason):
        reason = text(RefusalReason(code), locale)
        return pick(locale, f"{reason.title}。{reason.advice}", f"{reason.title.capitalize()}. {reason.advice}")
    return pick(locale, *_WHY_NOT_CLOSED.get(code, ("平台没有关闭账号。", "The platform did not close the account.")))


def not_told(codes: Iterable[str], locale: Locale) -> str:
    """The names of what the platform could not tell: checks, and the list of what is given up."""
    names = (
        pick(locale, "将放弃的权益", "what you would give up")
        if code == ENTITLEMENTS
        else text(Check(code), locale).title
        for code in codes
    )
    return pick(locale, "、", ", ").join(names)


def name(code: str, locale: Locale) -> str:
    """What a product, or a kind of data, is called. The platform may know more of them: those keep their code."""
    if code in set(Marketplace):
        return text(Marketplace(code), locale).title
    return pick(locale, *_NAMES.get(code, (code, code)))


def age(instant: datetime, now: datetime, locale: Locale) -> str:
    """How long ago, roughly; the exact time stands beside it."""
    passed = now - instant
    for unit, zh, en in (
        (timedelta(days=1), "天", "day"),
        (timedelta(hours=1), "小时", "hour"),
        (timedelta(minutes=1), "分钟", "minute"),
    ):
        if number := passed // unit:
            number = max(number, 0)
            return pick(locale, f"{number} {zh}前", f"{number} {en}{'s' if number > 1 else ''} ago")
    return pick(locale, "刚刚", "just now")


def html(markdown: str, *, below: int = 1) -> str:
    """Markdown of ours as HTML, its headings `below` the page's own. Raw HTML in it is shown as text."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(markdown)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{int(token.tag[1]) + below}"
    rendered: str = parser.renderer.render(tokens, parser.options, {})
    return rendered
