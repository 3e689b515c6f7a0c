"""The wording of every message, in Chinese and English: subject and text. A missing parameter reads "-"."""

from collections.abc import Mapping

from domain.locale import Locale
from domain.notifications import Template

_ZH: dict[Template, tuple[str, str]] = {
    Template.IDENTITY_CODE: (
        "账号注销身份验证码",
        (
            "您的账号注销验证码为 {code}，{minutes} 分钟内有效。请勿告知他人；如非本人操作，请忽略。"
            " / Your account cancellation code is {code}, valid for {minutes} minutes. Do not share it."
        ),
    ),
    Template.CANCELLATION_OPENED: (
        "已收到注销申请",
        (
            "您的京东云账号已提交注销申请 {request_no}，请于 {ends_by} 前办理完成，逾期申请自动失效。"
            "如非本人操作，请立即登录撤回申请、修改密码，并联系客服。"
        ),
    ),
    Template.IDENTITY_PROVED: (
        "身份验证已通过",
        "您的账号注销申请 {request_no} 已通过身份验证。如非本人操作，请立即登录撤回申请、修改密码，并联系客服。",
    ),
    Template.LAST_WORD_RECEIVED: (
        "账号正在注销",
        "您的账号注销申请 {request_no} 已最终确认，账号正在注销，完成后将另行通知。如非本人操作，请立即联系客服。",
    ),
    Template.CANCELLATION_SENT_BACK: (
        "账号未能注销",
        (
            "您的账号注销申请 {request_no} 未能执行，账号尚未注销，原因：{reasons}。"
            "请登录查看发生的变化；如仍需注销，可登录后继续办理。"
        ),
    ),
    Template.CANCELLATION_WITHDRAWN: (
        "注销申请已撤回",
        "您的账号注销申请 {request_no} 已撤回，账号可继续正常使用。如非本人操作，请尽快修改密码并联系客服。",
    ),
    Template.CANCELLATION_LAPSING: (
        "注销申请即将失效",
        "您的账号注销申请 {request_no} 尚未完成，将于 {lapses_at} 失效。如仍需注销，请登录后继续办理。",
    ),
    Template.CANCELLATION_LAPSED: (
        "注销申请已失效",
        "您的账号注销申请 {request_no} 因长时间未操作已失效，账号可继续正常使用。如仍需注销，请重新申请。",
    ),
    Template.TICKET_FILED: (
        "注销工单已受理",
        "您的注销工单 {ticket_no} 已受理，我们将于 {due_at} 前（3 个工作日内）完成注销或告知审核结果。",
    ),
    Template.TICKET_MATERIALS_REQUESTED: (
        "请补充注销材料",
        "您的注销工单 {ticket_no} 需要补充材料：{reasons}。材料补齐后，3 个工作日的审核期将重新计算。",
    ),
    Template.TICKET_DUE_SOON: (
        "工单即将到期",
        "注销工单 {ticket_no} 将于 {due_at} 到期，请尽快审核。",
    ),
    Template.TICKET_OVERDUE_OWNER: (
        "注销审核延迟致歉",
        (
            "很抱歉，您的注销工单 {ticket_no} 未能在 {due_at} 前完成审核，已升级处理。"
            "我们会在得出结果后立即通知您，您无需重新提交。"
        ),
    ),
    Template.TICKET_OVERDUE_LEAD: (
        "工单超时升级",
        "注销工单 {ticket_no} 已超过承诺时限 {due_at} 仍未审核，请值班主管立即处理。",
    ),
    Template.TICKET_CEILING_ALARM: (
        "工单触及最长时限",
        "注销工单 {ticket_no} 已达到自首次提交起 15 个工作日的最长时限，请运维与值班主管共同处理。",
    ),
    Template.TICKET_APPROVED: (
        "注销工单已通过审核",
        "您的注销工单 {ticket_no}（申请编号 {request_no}）已通过审核，账号即将注销，完成后将另行通知。",
    ),
    Template.TICKET_REJECTED: (
        "注销申请未通过",
        "您的注销工单 {ticket_no} 未通过审核，原因：{reasons}。您可在处理后重新申请。",
    ),
    Template.SEALING_STUCK: (
        "账号关闭受阻",
        (
            "注销申请 {request_no} 自 {since} 起一直未能关闭账号，最近一次错误为 {error_type}。"
            "系统仍在自动重试，请检查平台与存储服务。"
        ),
    ),
    Template.DELETION_STUCK: (
        "注销执行受阻",
        (
            "注销申请 {request_no} 的步骤 {phase} 自 {since} 起已尝试 {attempts} 次仍未完成，"
            "最近一次错误为 {error_type}。系统仍在自动重试，请检查平台服务。"
        ),
    ),
    Template.DELETION_STALLED: (
        "注销执行停滞",
        "注销申请 {request_no} 的步骤 {phase} 遇到无法自行恢复的错误 {error_type}，需要人工处理后恢复执行。",
    ),
    Template.ACCOUNT_CLOSED: (
        "账号已注销",
        (
            "您的京东云账号已于 {closed_at} 注销（申请编号 {request_no}），无法恢复或登录。"
            "京东集团其他服务及第三方账号不受影响。"
        ),
    ),
}

_EN: dict[Template, tuple[str, str]] = {
    # A challenge carries no language, so the code's message is in both.
    Template.IDENTITY_CODE: _ZH[Template.IDENTITY_CODE],
    Template.CANCELLATION_OPENED: (
        "Cancellation requested",
        (
            "Cancellation of your JD Cloud account has been requested ({request_no}). Finish it by {ends_by}, or it"
            " lapses. Not you? Sign in now, withdraw it, change your password and contact support."
        ),
    ),
    Template.IDENTITY_PROVED: (
        "Identity confirmed",
        (
            "Your identity was confirmed for account cancellation {request_no}."
            " Not you? Sign in now, withdraw it, change your password and contact support."
        ),
    ),
    Template.LAST_WORD_RECEIVED: (
        "Your account is being closed",
        (
            "Account cancellation {request_no} has been confirmed for good, and the account is now being closed."
            " You will hear from us when it is done. Not you? Contact support at once."
        ),
    ),
    Template.CANCELLATION_SENT_BACK: (
        "Your account was not closed",
        (
            "Account cancellation {request_no} could not be carried out, so the account was not closed."
            " Reasons: {reasons}. Sign in to see what has changed; if you still want to cancel it, go on from there."
        ),
    ),
    Template.CANCELLATION_WITHDRAWN: (
        "Cancellation withdrawn",
        (
            "Your account cancellation {request_no} has been withdrawn; the account goes on as before."
            " If this was not you, change your password and contact support."
        ),
    ),
    Template.CANCELLATION_LAPSING: (
        "Your cancellation is about to lapse",
        "Your account cancellation {request_no} is not finished and lapses at {lapses_at}. Sign in to continue.",
    ),
    Template.CANCELLATION_LAPSED: (
        "Your cancellation has lapsed",
        (
            "Your account cancellation {request_no} lapsed because nothing was done for a long time."
            " The account goes on as before; ask again if you still want to cancel it."
        ),
    ),
    Template.TICKET_FILED: (
        "Your ticket has been received",
        (
            "Ticket {ticket_no} has been received. The account is cancelled, or you hear the result of the review,"
            " by {due_at} (3 business days)."
        ),
    ),
    Template.TICKET_MATERIALS_REQUESTED: (
        "More materials needed",
        "Ticket {ticket_no} needs: {reasons}. The 3 business days of the review start anew when they have arrived.",
    ),
    Template.TICKET_DUE_SOON: (
        "Ticket due soon",
        "Cancellation ticket {ticket_no} is due at {due_at}. Please review it.",
    ),
    Template.TICKET_OVERDUE_OWNER: (
        "Our review is late",
        (
            "We are sorry: ticket {ticket_no} was not reviewed by {due_at}. It has been escalated."
            " You will hear from us as soon as there is a result; there is no need to file it again."
        ),
    ),
    Template.TICKET_OVERDUE_LEAD: (
        "Ticket overdue",
        "Cancellation ticket {ticket_no} is past its deadline of {due_at} and not decided. Please act now.",
    ),
    Template.TICKET_CEILING_ALARM: (
        "Ticket at its hard ceiling",
        (
            "Cancellation ticket {ticket_no} has reached 15 business days since it was first filed."
            " Operations and the duty lead have to act."
        ),
    ),
    Template.TICKET_APPROVED: (
        "Cancellation approved",
        (
            "Ticket {ticket_no} (request {request_no}) has been approved and the account is about to be closed."
            " You will hear from us when it is done."
        ),
    ),
    Template.TICKET_REJECTED: (
        "Cancellation not approved",
        "Ticket {ticket_no} was not approved. Reasons: {reasons}. You may apply again once they are settled.",
    ),
    Template.SEALING_STUCK: (
        "Closing an account is stuck",
        (
            "Cancellation {request_no} has been trying to close its account since {since}; the last error is"
            " {error_type}. It goes on trying. Check the platform and the vault."
        ),
    ),
    Template.DELETION_STUCK: (
        "Deletion stuck",
        (
            "Step {phase} of cancellation {request_no} has failed {attempts} times since {since}; the last error is"
            " {error_type}. It goes on trying. Check the platform."
        ),
    ),
    Template.DELETION_STALLED: (
        "Deletion stalled",
        (
            "Step {phase} of cancellation {request_no} met an error that cannot heal by itself ({error_type})."
            " Remove the cause, then resume."
        ),
    ),
    Template.ACCOUNT_CLOSED: (
        "Your account is closed",
        (
            "Your JD Cloud account was closed at {closed_at} (request {request_no}) and cannot be restored."
            " Other JD services and your accounts with third parties are not affected."
        ),
    ),
}

TEMPLATES = {Locale.ZH: _ZH, Locale.EN: _EN}


class _Params(dict[str, str]):
    def __missing__(self, _name: str) -> str:
        return "-"


def printable(text: str) -> str:
    """One line: control characters become blanks."""
    return "".join(c if c.isprintable() else " " for c in text)


def render(template: Template, locale: Locale, params: Mapping[str, str]) -> tuple[str, str]:
    """Subject and text."""
    subject, text = TEMPLATES[locale][template]
    return subject, text.format_map(_Params((name, printable(value)) for name, value in params.items()))
