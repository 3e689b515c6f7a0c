"""What every `ErrorType` means in Chinese, and the refusals that need no workflow to make them.

English readers have the error's own message, which says more.
"""

from collections.abc import Mapping

from domain.errors import ErrorType, Refusal
from domain.locale import Locale
from domain.messages import CancellationView
from domain.phases import Step, allows
from service.letters.problems import LetterProblem, words

IN_CHINESE: dict[ErrorType, str] = {
    ErrorType.WRONG_PHASE: "当前阶段不能执行此步骤。",
    ErrorType.NO_VERIFIED_CHANNEL: "账号未绑定手机和邮箱，请提交工单。",
    ErrorType.CHANNEL_NOT_VERIFIED: "该验证方式未绑定，请选择其他方式。",
    ErrorType.STALE_NOTICE: "须知版本已更新，请阅读并同意现行版本。",
    ErrorType.STALE_REPORT: "检测结果已更新，请核对最新结果后再继续。",
    ErrorType.TICKET_NOT_ALLOWED: "现在不能提交工单。",
    ErrorType.TICKET_INCOMPLETE: "工单资料不完整，请补全后重新提交。",
    ErrorType.TICKET_MISMATCH: "工单与该账号不符，请用该账号的资料重新提交。",
    ErrorType.LETTER_REFUSED: "同意书文件不符合要求，请重新扫描或另存后提交。",
    ErrorType.POINT_OF_NO_RETURN: "注销已不可撤回，只能继续完成。",
    ErrorType.DECISION_REFUSED: "该审核决定未被采纳。",
    ErrorType.NOT_STALLED: "删除正在自动进行，无需恢复。",
    ErrorType.NOT_NOW: "暂时还不能执行，这不是您的问题。没有任何改动，请稍后重试。",
    ErrorType.IDENTITY_STALE: "身份验证已失效，或由他人完成。请重新验证身份。",
    ErrorType.AUTHORITY_MISMATCH: "删除任务与该账号的注销申请不符，未执行任何操作，请联系运维。",
    ErrorType.NOT_FOUND: "没有找到，请核对编号。",
    ErrorType.ALREADY_OVER: "已经结束，没有可继续的工作。",
    ErrorType.BAD_INPUT: "输入或设置有误，请改正后重试。",
    ErrorType.UNREACHABLE: "服务没有应答。没有数据丢失，请稍后重试。",
    ErrorType.NOT_SIGNED_IN: "请先登录。",
    ErrorType.NOT_ALLOWED: "您没有此操作的权限。",
    ErrorType.FORM_REFUSED: "页面已过期，请刷新后重试。",
    ErrorType.TOO_LARGE: "提交的内容过大，请缩小后重试。",
    ErrorType.ACCOUNT_UNKNOWN: "账号不存在，请核对账号。",
    ErrorType.ACCOUNT_NOT_CLOSABLE: "该账号不能注销。",
    ErrorType.CODE_WRONG: "验证码错误，请重新输入。",
    ErrorType.CODE_EXPIRED: "验证码已过期，请重新获取。",
    ErrorType.CODE_LOCKED: "错误次数过多，该验证码已失效，请重新获取。",
    ErrorType.CHALLENGE_UNKNOWN: "验证码已失效，请重新获取。",
    ErrorType.RESEND_TOO_SOON: "获取验证码过于频繁，请稍后再试。",
    ErrorType.DAILY_CODE_LIMIT: "今日验证码次数已用完，请明天再试。",
    ErrorType.PROOF_INVALID: "身份凭证无效，请重新获取验证码。",
    ErrorType.PROOF_USED: "身份凭证已使用过，请重新获取验证码。",
    ErrorType.PROOF_EXPIRED: "身份凭证已过期，请重新获取验证码。",
    ErrorType.HOLD_LAPSED: "账号锁定已到期，请重试。",
    ErrorType.HOLD_RELEASED: "账号锁定已解除，请重试。",
    ErrorType.PHASE_UNKNOWN: "平台没有该删除步骤的记录，请联系运维。",
    ErrorType.CREDENTIALS_REFUSED: "平台拒绝了本服务的凭证，请联系运维。",
    ErrorType.IDEMPOTENCY_CONFLICT: "同一请求号用于了不同的请求，请联系运维。",
    ErrorType.REQUEST_INVALID: "平台认为请求无效，请核对输入。",
    ErrorType.RATE_LIMITED: "请求过于频繁，请稍后重试。",
    ErrorType.SERVICE_UNAVAILABLE: "平台服务暂不可用，请稍后重试。",
    ErrorType.INTERNAL_ERROR: "内部错误，请联系运维。",
    ErrorType.ANSWER_UNREADABLE: "平台的应答无法识别，请稍后重试或联系运维。",
    ErrorType.UNEXPECTED_ANSWER: "平台的应答不符合约定，请联系运维核对地址。",
    ErrorType.VAULT_RECORD_MISSING: "存证库中没有该记录，请联系运维。",
    ErrorType.VAULT_RECORD_CHANGED: "存证库中的记录与哈希不符，请联系运维。",
    ErrorType.VAULT_RECORD_FOREIGN: "存证库中的记录属于其他账号或申请，请联系运维。",
    ErrorType.VAULT_UNAVAILABLE: "存证库暂不可用，请稍后重试。",
}


def in_chinese(type: ErrorType, details: Mapping[str, object]) -> str:
    """What went wrong; `details` are the error's."""
    if type is ErrorType.LETTER_REFUSED and "because" in details:
        return words(LetterProblem(str(details["because"])), Locale.ZH)
    return IN_CHINESE[type]


def require(view: CancellationView, step: Step, *, report_digest: str | None = None) -> None:
    """Raises `Refusal`, as the request itself would. Before the vault is touched: no contact data shall lie there for
    nothing. `report_digest` is the report that was shown to whoever files a ticket.
    """
    if view.run_ended or not allows(view.phase, step, channel_verified=bool(view.channels)):
        raise Refusal(
            ErrorType.WRONG_PHASE,
            f"{step} is not possible in phase {view.phase} of request {view.request_no}. Nothing was stored.",
            phase=view.phase,
            due_step=view.due_step,
        )
    if step is not Step.FILE_TICKET:
        return
    report = view.report
    if report is None or report_digest != report.digest:
        raise Refusal(
            ErrorType.STALE_REPORT,
            "See the latest report of the checks, then file: nobody gives up what was not shown. Nothing was stored.",
            report_digest=report.digest if report else None,
        )
    if report.not_told:
        raise Refusal(
            ErrorType.NOT_NOW,
            f"The platform could not tell {', '.join(report.not_told)}, which is no fault of the owner's: check again, "
            "then file. Nothing was stored.",
            could_not_tell=list(report.not_told),
        )
    if first := report.must_be_fixed_first():
        raise Refusal(
            ErrorType.TICKET_NOT_ALLOWED,
            f"A ticket cannot waive {', '.join(o.check for o in first)}: put that right first, then file again. "
            "Nothing was stored.",
            fix_first=[o.check for o in first],
            reasons=[o.reason for o in first],
        )
