"""What an owner reads of a decision, in the owner's language: arranged as the message, in the catalogue's words."""

from collections.abc import Iterable
from dataclasses import dataclass

from domain.locale import Locale
from domain.tickets import DecisionKind, DecisionReason
from i18n.texts import Text, text


@dataclass(frozen=True)
class OwnerMessage:
    """`reasons` is None where none belong; an empty one still lacks them."""

    locale: Locale
    subject: str
    opening: str
    reasons: tuple[Text, ...] | None
    ending: str


def owner_message(
    kind: DecisionKind, ticket_no: str, reasons: Iterable[DecisionReason], locale: Locale
) -> OwnerMessage:
    """Of each kind of decision; an approval has no reasons to give."""
    if kind is DecisionKind.APPROVE:
        subject = pick(locale, "注销工单已通过审核", "Cancellation approved")
        opening = pick(
            locale,
            f"您的注销工单 {ticket_no} 已通过审核，账号即将注销。",
            f"Ticket {ticket_no} has been approved and the account is about to be closed.",
        )
        ending = pick(locale, "完成后将另行通知。", "You will hear from us when it is done.")
        return OwnerMessage(locale, subject, opening, None, ending)
    if kind is DecisionKind.REJECT:
        subject = pick(locale, "注销申请未通过", "Cancellation not approved")
        opening = pick(
            locale, f"您的注销工单 {ticket_no} 未通过审核，原因：", f"Ticket {ticket_no} was not approved. Reasons:"
        )
        ending = pick(locale, "您可在处理后重新申请。", "You may apply again once they are settled.")
    else:
        subject = pick(locale, "请补充注销材料", "More materials needed")
        opening = pick(locale, f"您的注销工单 {ticket_no} 需要补充材料：", f"Ticket {ticket_no} needs:")
        ending = pick(
            locale,
            "材料补齐后，3 个工作日的审核期将重新计算。",
            "The 3 business days of the review start anew when they have arrived.",
        )
    return OwnerMessage(locale, subject, opening, tuple(text(reason, locale) for reason in reasons), ending)


def pick(locale: Locale, zh: str, en: str) -> str:
    return zh if locale is Locale.ZH else en
