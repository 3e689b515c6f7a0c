"""What every code means, in Chinese and English: a title, and where somebody has to act, what to do.

One catalogue for the command line, the console and the demo. A code without advice needs nobody to act.
"""

from enum import StrEnum
from typing import NamedTuple

from domain.accounts import Channel, RealNameType, RefusalReason
from domain.checks import Check, EntitlementKind, Figure, Marketplace, Reason, Remedy, Verdict
from domain.deletion import DeletionPhase, DeletionStatus, RetentionRule, Verification
from domain.letters import SignatureCheck
from domain.locale import Locale
from domain.messages import Route, WithdrawalReason
from domain.phases import Phase, Step
from domain.standing import ReviewEnd, RunEnd
from domain.tickets import BalanceWish, DecisionReason, IgnoredBecause, MissingPart, ReviewStatus


class Text(NamedTuple):
    title: str
    advice: str = ""


def text(code: StrEnum, locale: Locale) -> Text:
    """The words for a code. Raises `KeyError` for a member of an enumeration that this catalogue does not cover."""
    zh, en, *advice = _CATALOGUE[type(code)][code]
    zh_advice, en_advice = advice or ("", "")
    return Text(zh, zh_advice) if locale is Locale.ZH else Text(en, en_advice)


def yuan(fen: int) -> str:
    """Money for people: 12850 fen is ¥128.50."""
    return f"¥{fen // 100:,}.{fen % 100:02d}"


def amount(figure: Figure, value: int) -> str:
    """The value of a figure: money in yuan, a count as it is."""
    return yuan(value) if figure.endswith("_fen") else str(value)


_Words = tuple[str, str] | tuple[str, str, str, str]
"""Title in Chinese and English, then the advice in both."""

# By class first: members of different enumerations with the same value are equal (Phase.REJECTED == "REJECTED").
_CATALOGUE: dict[type[StrEnum], dict[StrEnum, _Words]] = {
    Check: {
        Check.BALANCE: ("账户余额", "balance"),
        Check.ARREARS: ("欠费", "arrears"),
        Check.PROVIDER: ("服务商身份", "marketplace provider"),
        Check.ICP_FILING: ("备案申请", "ICP filing"),
        Check.RESOURCES: ("计费资源与服务", "billable resources"),
    },
    Verdict: {
        Verdict.PASSED: ("通过", "passed"),
        Verdict.BLOCKED: ("未满足", "blocked"),
        Verdict.UNKNOWN: ("暂时无法判断", "could not tell"),
    },
    Reason: {
        Reason.BALANCE_WITHDRAWABLE: (
            "账户有可提现余额",
            "there is a balance to withdraw",
            "请先提现；如执意放弃余额，请通过工单提交人工注销申请。",
            "Withdraw it; to give it up instead, file a ticket.",
        ),
        Reason.BALANCE_IN_WITHDRAWAL: (
            "余额正在提现中",
            "a withdrawal is under way",
            "请等待提现到账后重新检测；如执意放弃，请提交工单。",
            "Wait until it has arrived, then check again; to give it up instead, file a ticket.",
        ),
        Reason.BALANCE_NOT_WITHDRAWABLE: (
            "余额含冻结或线下汇入款项，无法自助提现",
            "frozen or offline money cannot be withdrawn by yourself",
            "请提交工单，由人工处理或确认放弃。",
            "File a ticket: staff return it, or you give it up there.",
        ),
        Reason.ARREARS_UNPAID: (
            "有未结清的欠费",
            "arrears are unpaid",
            "请先结清欠费，再重新检测。",
            "Pay, then check again.",
        ),
        Reason.PROVIDER_BUSINESS_ACTIVE: (
            "服务商业务仍在进行",
            "provider business is in progress",
            "请联系京东云业务联系人，取消服务商身份或终止相关业务后重新检测。",
            "Agree with your business contact to end it, then check again.",
        ),
        Reason.ICP_FILING_EVER_APPLIED: (
            "账户曾发起备案申请",
            "an ICP filing was applied for at some time",
            "请提交工单申请人工注销；注销备案不能恢复自助办理。",
            "File a ticket; cancelling the filing does not bring self-service back.",
        ),
        Reason.RESOURCES_ACTIVE: (
            "仍有计费资源或服务",
            "billable resources are active",
            "请先终止这些资源或服务，再重新检测。",
            "End them, then check again.",
        ),
        Reason.COULD_NOT_TELL: (
            "系统暂时无法判断",
            "we could not tell",
            "这不是您的问题，请稍后重新检测。",
            "Not your fault: check again in a while.",
        ),
    },
    Remedy: {
        Remedy.SELF_SERVICE: ("自助处理", "by yourself", "处理后重新检测。", "Put it right, then check again."),
        Remedy.BUSINESS_CONTACT: (
            "联系业务联系人",
            "with your business contact",
            "协商后重新检测。",
            "Agree, then check again.",
        ),
        Remedy.MANUAL_TICKET: (
            "人工工单",
            "by ticket",
            "提交工单，3 个工作日内答复。",
            "File a ticket: answered within 3 business days.",
        ),
    },
    Figure: {
        Figure.AVAILABLE_FEN: ("可用", "available"),
        Figure.FROZEN_FEN: ("冻结", "frozen"),
        Figure.IN_WITHDRAWAL_FEN: ("提现中", "in withdrawal"),
        Figure.OFFLINE_FEN: ("线下汇入", "paid in offline"),
        Figure.ARREARS_FEN: ("欠费", "unpaid"),
        Figure.BUSINESSES_IN_PROGRESS: ("进行中业务", "in progress"),
        Figure.APPLICATIONS_EVER: ("历史申请", "applications"),
        Figure.ACTIVE_RESOURCES: ("计费资源", "active"),
    },
    Marketplace: {
        Marketplace.CLOUD_MARKET: ("云市场", "Cloud Marketplace"),
        Marketplace.WANXIANG: ("万象", "Wanxiang"),
        Marketplace.YUNDING: ("云鼎", "Yunding"),
    },
    EntitlementKind: {
        EntitlementKind.VOUCHER: ("代金券", "voucher"),
        EntitlementKind.PICKUP_VOUCHER: ("提货券", "pick-up voucher"),
        EntitlementKind.QUALIFICATION: ("资格", "qualification"),
        EntitlementKind.DISCOUNT: ("折扣", "discount"),
    },
    Channel: {Channel.PHONE: ("手机", "phone"), Channel.EMAIL: ("邮箱", "e-mail")},
    RealNameType: {
        RealNameType.NONE: ("未实名", "no real name"),
        RealNameType.INDIVIDUAL: ("个人实名", "individual"),
        RealNameType.ENTERPRISE: ("企业实名", "enterprise"),
    },
    RefusalReason: {
        RefusalReason.UNKNOWN_ACCOUNT: ("账号不存在", "no such account", "请核对账号。", "Check the account id."),
        RefusalReason.SUB_USER: (
            "子用户不能注销主账号",
            "a sub-user cannot cancel the account",
            "请使用主账号登录后申请。",
            "Sign in with the main account and ask again.",
        ),
        RefusalReason.ALREADY_CLOSED: (
            "账号已注销",
            "closed already",
            "无需再次申请。",
            "There is nothing left to do.",
        ),
        RefusalReason.RESTRICTED: (
            "账号处于限制状态",
            "the account is restricted",
            "请联系客服解除限制后再申请。",
            "Have support lift the restriction, then ask again.",
        ),
        RefusalReason.ACCOUNT_UNREADABLE: (
            "平台的答复无法识别",
            "the platform's answer cannot be used",
            "这不是您的问题，请联系客服；运维：核对平台地址与契约版本。",
            "Not your fault: tell support. Operations: check the platform's address and its version of the contract.",
        ),
    },
    Phase: {
        Phase.OPENING: ("正在受理", "opening"),
        Phase.AWAITING_IDENTITY: (
            "待身份验证",
            "awaiting identity",
            "请通过已绑定的手机或邮箱验证身份；均未绑定时请提交工单。",
            "Prove who you are by your verified phone or e-mail; with neither, file a ticket.",
        ),
        Phase.AWAITING_NOTICE: (
            "待确认须知",
            "awaiting notice",
            "请阅读并同意《注销须知》。",
            "Read and accept the notice.",
        ),
        Phase.CHECKING: ("检测中", "checking"),
        Phase.BLOCKED: (
            "条件未满足",
            "blocked",
            "请逐项处理后重新检测，或在允许时提交工单。",
            "Put the reasons right and check again, or file a ticket where one can help.",
        ),
        Phase.AWAITING_CONFIRMATION: (
            "待最终确认",
            "awaiting confirmation",
            "请核对检测结果并最终确认；确认后不可恢复。",
            "Read the report and confirm; after that there is no way back.",
        ),
        Phase.UNDER_REVIEW: ("人工审核中", "under review"),
        Phase.AWAITING_MATERIALS: (
            "待补充材料",
            "awaiting materials",
            "请按要求补充材料。",
            "Supply what the reviewer asked for.",
        ),
        Phase.SEALING: ("正在封存", "sealing"),
        Phase.DELETING: ("正在删除", "deleting"),
        Phase.DELETION_STALLED: (
            "删除停滞",
            "deletion stalled",
            "运维：排除原因后恢复执行（deletion resume）。",
            "Operations: remove the cause, then resume (deletion resume).",
        ),
        Phase.CLOSED: ("已注销", "closed"),
        Phase.REJECTED: (
            "未通过",
            "rejected",
            "请处理所列原因后重新申请。",
            "Settle the reasons, then you may ask again.",
        ),
        Phase.WITHDRAWN: ("已撤回", "withdrawn"),
        Phase.LAPSED: ("已失效", "lapsed", "如仍需注销，请重新申请。", "Ask again if you still want to cancel."),
        Phase.REFUSED: ("不予受理", "refused"),
    },
    Step: {
        Step.SEND_CODE: ("获取验证码", "get a code"),
        Step.SUBMIT_IDENTITY_PROOF: ("输入验证码", "enter the code"),
        Step.ACCEPT_NOTICE: ("同意《注销须知》", "accept the notice"),
        Step.RECHECK: ("重新检测", "check again"),
        Step.CONFIRM: ("最终确认", "confirm"),
        Step.FILE_TICKET: ("提交工单", "file a ticket"),
        Step.SUPPLY_MATERIALS: ("补充材料", "supply materials"),
        Step.WITHDRAW: ("撤回申请", "withdraw"),
    },
    Route: {Route.SELF_SERVICE: ("自助", "self-service"), Route.MANUAL: ("人工", "by ticket")},
    WithdrawalReason: {
        WithdrawalReason.CHANGED_MIND: ("改变主意", "changed my mind"),
        WithdrawalReason.KEEP_SERVICES: ("仍需使用服务", "the services are still needed"),
        WithdrawalReason.CANNOT_MEET_CONDITIONS: ("无法满足注销条件", "the conditions cannot be met"),
        WithdrawalReason.NOT_REQUESTED_BY_ME: ("非本人申请", "not asked for by me"),
        WithdrawalReason.OPERATOR_CANCELLED: ("运维取消", "cancelled by operations"),
    },
    ReviewStatus: {
        ReviewStatus.UNDER_REVIEW: ("审核中", "under review"),
        ReviewStatus.AWAITING_MATERIALS: ("待补充材料", "awaiting materials"),
        ReviewStatus.APPROVED: ("已通过", "approved"),
        ReviewStatus.REJECTED: ("已驳回", "rejected"),
        ReviewStatus.CALLED_OFF: ("已取消", "called off"),
    },
    MissingPart: {
        MissingPart.CONTACT_EMAIL: (
            "联系邮箱",
            "contact e-mail",
            "请填写能联系到您的邮箱。",
            "Give an e-mail address that reaches you.",
        ),
        MissingPart.CONTACT_PHONE: (
            "联系电话",
            "contact phone",
            "请填写能联系到您的电话。",
            "Give a phone number that reaches you.",
        ),
        MissingPart.STATEMENT: (
            "已阅读并同意须知的声明",
            "statement that the notice was read and accepted",
            "请声明已阅读并同意现行《注销须知》。",
            "State that you have read and accept the notice in force.",
        ),
        MissingPart.STAMPED_LETTER: (
            "加盖公章的同意书",
            "stamped letter of consent",
            "请上传加盖公章的《注销账号同意书》：PDF、照片或扫描件，20 MiB 以内。",
            "Attach the letter of consent with the company's seal: a PDF, photo or scan of at most 20 MiB.",
        ),
        MissingPart.BALANCE_CHOICE: (
            "对余额的处理意愿",
            "word about the balance",
            "请按所示金额选择：放弃余额，或由我们退还。",
            "Say what is to become of the money that is shown: give it up, or have it returned.",
        ),
    },
    BalanceWish: {
        BalanceWish.GIVE_UP: ("放弃余额", "give it up"),
        BalanceWish.RETURN: (
            "退还余额",
            "have it returned",
            "余额退还完成后，账号才会注销。",
            "The account is closed only when the money has been returned.",
        ),
    },
    SignatureCheck: {
        SignatureCheck.VALID: ("带有电子签名：验证通过", "carries an electronic signature: valid"),
        SignatureCheck.INVALID: (
            "带有电子签名：验证失败",
            "carries an electronic signature: not valid",
            "签名后文件有改动，或签名本身有误。",
            "The file was changed after it was signed, or the signature is wrong.",
        ),
        SignatureCheck.NOT_VERIFIED: (
            "带有电子签名：未验证",
            "carries an electronic signature: not verified",
            "系统未能确认签名人，请勿仅凭签名作出判断。",
            "The service could not tell who signed; do not go by the signature alone.",
        ),
    },
    ReviewEnd: {
        ReviewEnd.CALLED_OFF: (
            "审核已取消，没有结论",
            "the review was called off, without a decision",
            "如仍需人工处理，请重新提交工单。",
            "File another ticket if you still need one.",
        ),
        ReviewEnd.ENDED_FROM_OUTSIDE: (
            "审核被运维终止，没有结论",
            "operations ended the review, without a decision",
            "请重新提交工单。",
            "File the ticket again.",
        ),
        ReviewEnd.NOT_CREDIBLE: (
            "审核结论不符合规则，未被采用",
            "the review's decision was against the rules, and does not count",
            "请重新提交工单。",
            "File the ticket again.",
        ),
    },
    RunEnd: {
        RunEnd.TERMINATED: ("运维终止了该申请", "operations ended this request"),
        RunEnd.FAILED: ("该申请因内部错误中断", "this request broke off on an error of ours"),
        RunEnd.CANCELED: ("运维取消了该申请", "operations cancelled this request"),
        RunEnd.TIMED_OUT: ("该申请因超时中断", "this request ran out of time"),
    },
    DecisionReason: {
        DecisionReason.IDENTITY_NOT_PROVEN: (
            "无法确认身份",
            "identity not proven",
            "请补充身份证明。",
            "Prove who you are.",
        ),
        DecisionReason.CONSENT_NOT_VALID: (
            "同意书无效",
            "consent not valid",
            "请重新出具同意书。",
            "Issue the consent anew.",
        ),
        DecisionReason.COMPANY_MISMATCH: (
            "企业信息与实名不一致",
            "company differs from the verified one",
            "请以实名认证的企业出具材料。",
            "Have the verified company issue the papers.",
        ),
        DecisionReason.DISPUTE_OPEN: (
            "存在未了结的纠纷",
            "a dispute is open",
            "请先了结纠纷。",
            "Settle the dispute first.",
        ),
        DecisionReason.LEGAL_HOLD: (
            "依法须保留账号",
            "the law wants the account kept",
            "限制解除后可重新申请。",
            "Ask again when that has ended.",
        ),
        DecisionReason.FUNDS_MUST_BE_RETURNED: (
            "款项须先退回",
            "money has to be returned first",
            "请配合退款后重新申请。",
            "Have it paid back, then ask again.",
        ),
        DecisionReason.SEE_NOTE: (
            "详见审核说明",
            "see the reviewer's note",
            "请联系客服了解详情。",
            "Support will tell you more.",
        ),
        DecisionReason.LETTER_ILLEGIBLE: ("同意书无法辨认", "letter not legible", "请重新扫描上传。", "Scan it again."),
        DecisionReason.SEAL_MISSING: (
            "同意书未盖公章",
            "company seal missing",
            "请加盖公章后重新上传。",
            "Stamp the letter and send it again.",
        ),
        DecisionReason.LETTER_INCOMPLETE: (
            "同意书填写不完整",
            "letter incomplete",
            "请补全后重新上传。",
            "Complete it and send it again.",
        ),
        DecisionReason.STATEMENT_OUTDATED: (
            "声明的须知版本已过期",
            "statement names an old notice",
            "请按现行须知重新声明。",
            "State it anew for the notice in force.",
        ),
        DecisionReason.CONTACT_UNREACHABLE: (
            "联系方式无法接通",
            "contact cannot be reached",
            "请更新联系邮箱和电话。",
            "Give an e-mail and a phone that reach you.",
        ),
    },
    IgnoredBecause: {
        IgnoredBecause.DUPLICATE: ("重复的决定", "given before"),
        IgnoredBecause.CONFLICT: (
            "决定编号已用于另一决定",
            "another decision has this id",
            "请重新加载页面，核对后再作决定。",
            "Load the page again, look, and decide anew.",
        ),
        IgnoredBecause.STALE: (
            "材料或检测结果已更新",
            "about earlier materials, or an earlier report",
            "请先查看最新内容，再作决定。",
            "Look at what is there now, then decide.",
        ),
        IgnoredBecause.TIME_IMPLAUSIBLE: (
            "决定时间不合理",
            "decided at an impossible time",
            "请校准发送方的时钟后重试。",
            "Set the sender's clock right, then decide again.",
        ),
        IgnoredBecause.WRONG_TICKET: ("工单号不符", "another ticket", "请核对工单号。", "Check the ticket number."),
        IgnoredBecause.ALREADY_DECIDED: ("工单已有结论", "decided already"),
        IgnoredBecause.WRONG_PHASE: (
            "正等待补充材料",
            "materials are awaited",
            "材料补齐后再审核。",
            "Decide when they have arrived.",
        ),
        IgnoredBecause.SELF_APPROVAL: (
            "申请人不能审核自己的工单",
            "by the applicant",
            "请由其他客服审核。",
            "Have somebody else decide.",
        ),
        IgnoredBecause.REASONS_MISSING: (
            "缺少原因",
            "reasons missing",
            "请选择至少一个原因。",
            "Name at least one reason.",
        ),
        IgnoredBecause.WAIVERS_INCOMPLETE: (
            "豁免项不完整",
            "waivers incomplete",
            "请逐项确认全部待豁免的检测项，否则驳回。",
            "Waive every check that stands in the way, or reject.",
        ),
        IgnoredBecause.IDENTITY_NOT_ATTESTED: (
            "未确认申请人身份",
            "identity not attested",
            "请先以其他方式核实并确认身份。",
            "Establish identity by other means and attest it.",
        ),
    },
    DeletionPhase: {
        DeletionPhase.REVOKE_CREDENTIALS: ("吊销访问凭证", "revoke credentials"),
        DeletionPhase.UNBIND_THIRD_PARTIES: ("解除第三方绑定", "unbind third parties"),
        DeletionPhase.FORFEIT_ENTITLEMENTS: ("作废卡券与权益", "forfeit entitlements"),
        DeletionPhase.PURGE_RESOURCES: ("清除云资源", "purge resources"),
        DeletionPhase.SEND_FINAL_NOTICE: ("发送最后通知", "send the final notice"),
        DeletionPhase.ERASE_PERSONAL_DATA: ("擦除个人信息", "erase personal data"),
        DeletionPhase.ISSUE_CERTIFICATE: ("出具注销证明", "issue the certificate"),
    },
    DeletionStatus: {
        DeletionStatus.RUNNING: ("进行中", "running"),
        DeletionStatus.STUCK: (
            "持续重试中",
            "stuck",
            "仍在自动重试；请排除原因，无需恢复执行。",
            "It goes on trying: put the cause right, nothing has to be resumed.",
        ),
        DeletionStatus.STALLED: (
            "已停滞",
            "stalled",
            "请排除原因后恢复执行（deletion resume）。",
            "Put the cause right, then resume it (deletion resume).",
        ),
        DeletionStatus.FINISHED: ("已完成", "finished"),
    },
    Verification: {Verification.VERIFY_AUTHORITY: ("核对注销依据", "verify the authority to delete")},
    RetentionRule: {
        RetentionRule.ECOMMERCE_LAW_31: ("《电子商务法》第三十一条", "E-Commerce Law, article 31"),
        RetentionRule.INVOICE_MEASURES_28: ("《发票管理办法》第二十八条", "Measures on Invoices, article 28"),
        RetentionRule.CYBERSECURITY_LAW_23: ("《网络安全法》第二十三条", "Cybersecurity Law, article 23"),
        RetentionRule.PIPL_56_EVIDENCE_OF_CONSENT: (
            "《个人信息保护法》第五十六条（同意的证据）",
            "Personal Information Protection Law, article 56 (evidence of consent)",
        ),
    },
}
