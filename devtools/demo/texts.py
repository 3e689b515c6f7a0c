"""Every sentence of the demo, in Chinese and English."""

from collections.abc import Iterable
from enum import Enum, unique

from domain.locale import Locale


@unique
class Say(Enum):
    """A sentence as (Chinese, English), with the same placeholders in both."""

    # Before and after the stories
    TITLE = ("账号注销 · 本机演示", "Account cancellation · played on this machine")
    SUBTITLE = (
        "真实的 Temporal 服务器、模拟云平台与 worker，各自独立进程；四个故事，从申请到不可恢复的删除。",
        (
            "A real Temporal server, a pretend cloud platform and the worker, each a process of its own; "
            "four stories, from the first click to irreversible deletion."
        ),
    )
    STARTING = ("正在启动本机环境", "starting the local stack")
    LOGS_IN = ("日志：{folder}", "logs: {folder}")
    SUMMARY = ("发生了什么", "What happened")
    COL_ACCOUNT = ("账号", "account")
    COL_ROUTE = ("途径", "route")
    COL_OUTCOME = ("结果", "outcome")
    COL_REQUEST = ("申请编号", "request no.")
    COL_TIME = ("用时", "time")
    COL_EVENTS = ("历史事件", "history events")
    EVENTS_NOTE = (
        "历史事件：申请 + 审核 + 删除，各为一个 Temporal 工作流。",
        "History events: request + review + deletion, each a Temporal workflow of its own.",
    )
    VIRTUAL = ("{days} 天（虚拟）", "{days} d (virtual)")
    ALL_WELL = ("四个故事都如期结束。", "Every story ended as it should.")
    NOT_WELL = ("有故事没有如期结束：{stories}。", "Not every story ended as it should: {stories}.")
    KEPT = ("环境继续运行（Ctrl-C 停止）。", "The stack keeps running (Ctrl-C ends it).")
    CONSOLE = (
        "控制台：{url}，无需密码，可以扮演任何角色：用户、客服、主管、审计。",
        "Console: {url}; take any role without a password: owner, agent, lead, auditor.",
    )
    WORKFLOWS = ("故事中的工作流，在 Temporal UI 中：", "The stories' workflows, in the Temporal UI:")
    STOPPING = ("正在停止……", "stopping ...")
    BROKEN_OFF = ("故事中断：{error}", "The story broke off: {error}")
    PROGRAM_ENDED = ("{name} 意外退出；日志：{log}", "{name} ended unexpectedly; its log: {log}")

    # Who does it
    OWNER = ("用户", "owner")
    STAFF = ("客服", "staff")
    SYSTEM = ("系统", "system")
    SMS = ("短信", "SMS")
    EMAIL = ("邮件", "e-mail")
    LEAD = ("值班主管", "duty lead")
    CLOCK = ("时钟", "clock")

    # Titles
    CLEAN = ("自助注销：没有任何阻碍的个人账号", "Self-service: an individual account with nothing in the way")
    FOUR_REASONS = ("四个原因同时阻碍，逐一解决", "Four reasons at once, put right one by one")
    ENTERPRISE = ("企业账号：盖章同意书、工单、放弃余额", "An enterprise: stamped letter, ticket, a balance given up")
    UNANSWERED = ("没人处理的工单：超时升级，而后驳回", "A ticket nobody answers: escalated, then rejected")

    # The owner's way
    ASKS = ("申请注销 {account}（{kind}）", "asks to cancel {account} ({kind})")
    OPENED = ("受理，申请编号 {request_no}", "opens request {request_no}")
    CODE_SENT = ("验证码发往 {to}", "sends a code to {to}")
    CODE_ENTERED = ("输入验证码 {code}，身份已验证", "enters {code}: identity verified")
    IDENTIFIED = (
        "用发往 {to} 的验证码 {code} 验证身份，同意《注销须知》{version} 版",
        "proves identity by the code {code} sent to {to}, accepts notice {version}",
    )
    NOTICE_ACCEPTED = (
        "阅读并同意《注销须知》{version} 版（SHA-256 {sha256}…）",
        "reads and accepts the notice, version {version} (SHA-256 {sha256}...)",
    )
    CHECKS = ("全部检测同时进行", "runs the checks, all at once")
    ALL_PASSED = ("全部通过，可以确认注销", "all passed: the owner may confirm")
    REASONS_LEFT = ("还剩 {count} 个原因：{checks}", "{count} left: {checks}")
    BLOCKED_BY = ("{count} 个原因同时列出，不必逐个碰壁", "shows {count} reasons together, not one after the other")
    PAY_FIRST = (
        "欠费会冻结提现：请先缴清欠费 {arrears}，再提现 {balance}。",
        "Arrears block withdrawals: pay {arrears} first, then withdraw {balance}.",
    )
    FORFEITS = ("列出随注销放弃的权益：{items}", "lists what is given up: {items}")
    CONFIRMED = ("最终确认（报告 {digest}…）：不可恢复", "confirms report {digest}...: there is no way back")

    # Putting things right
    PAYS = ("缴清欠费 {amount}", "pays the arrears of {amount}")
    WITHDRAWS = ("提现 {amount}", "withdraws {amount}")
    ENDS_BUSINESS = (
        "与业务联系人协商，终止云市场业务",
        "agrees with the business contact to end the marketplace business",
    )
    ENDS_RESOURCES = ("释放 {items}", "releases {items}")

    # Sealing and deletion
    SEALING = ("封存：冻结 → 复检 → 存证 → 关闭", "seals: hold → check again → dossier → close")
    SEALED = ("已越过不可逆点，只进不退", "past the point of no return")
    STALLED = ("停滞：{error}", "stalled: {error}")
    GONE_BEFORE = ("此前已清除", "gone before")
    CERTIFICATE = ("注销证明", "Certificate")
    CERT_CLOSED_AT = ("关闭时间", "closed at")
    CERT_DELETED = ("已删除", "deleted")
    CERT_FORFEITED = ("已放弃", "given up")
    CERT_KEPT = ("依法留存", "kept by law")
    CERT_KEPT_UNTIL = ("{what} 至 {until}（{rule}）", "{what} until {until} ({rule})")
    CERT_CHAIN = ("存证链", "chain")
    CERT_CHAIN_OK = ("证明 → 封存卷宗 {sha256}…，哈希一致", "certificate → dossier {sha256}..., hashes match")
    CERT_ISSUED = ("出具注销证明：{count} 项记录已清除", "issues the certificate: {count} records are gone")
    CERT_ISSUED_WAIVING = (
        "出具注销证明：{count} 项记录已清除，豁免 {waived}",
        "issues the certificate: {count} records are gone, waived: {waived}",
    )

    # The manual route
    ONLY_BY_TICKET = (
        "自助到此为止；可提交工单申请豁免：{checks}",
        "self-service ends here; a ticket can waive: {checks}",
    )
    WRITES_LETTER = (
        "上传同意书扫描件（{type}，{size} KB，未盖章）",
        "attaches the letter ({type}, {size} KB, not stamped yet)",
    )
    STAMPS_LETTER = ("补交盖章扫描件（{type}，{size} KB）", "supplies the stamped letter ({type}, {size} KB)")
    FILES_TICKET = ("提交工单 {ticket_no}", "files ticket {ticket_no}")
    FILES_STATEMENT = (
        "提交工单 {ticket_no}，声明已阅读并同意须知",
        "files ticket {ticket_no}, stating that the notice was read and accepted",
    )
    DUE = (
        "3 个工作日内答复：{due}（日历 {calendar}）",
        "to be answered within 3 business days: {due} (calendar {calendar})",
    )
    ASKS_MATERIALS = ("要求补充材料：{reasons}；计时暂停", "asks for materials: {reasons}; the clock stops")
    CLOCK_RESTARTED = ("材料已收到，重新计时：{due}", "the materials are in, the clock starts anew: {due}")
    APPROVES = ("批准，豁免 {checks}", "approves, waiving {checks}")
    REJECTS = ("驳回：{reasons}（已超时）", "rejects: {reasons} (late)")
    OVER = ("申请结束：{phase}，账号照常可用", "ends the request: {phase}; the account goes on as before")

    # The virtual clock
    NOBODY = (
        "没有人处理。时间快进（只快进这一个工作流的时钟）：",
        "Nobody answers. Time is skipped, for this one workflow:",
    )
    VIRTUAL_CLOCK = ("工单的虚拟时钟", "virtual clock of the ticket")
    FILED = ("提交工单", "ticket filed")
    BUSINESS_DAY = ("第 {n} 个工作日", "business day {n}")
    WEEKEND = ("周末", "weekend")
    AGENTS_REMINDED = ("提醒客服", "agents reminded")
    ESCALATED = ("到期，升级", "deadline: escalated")
    STILL_OPEN = (
        "超时不等于批准，也不等于驳回：工单继续等待，状态 {status}。",
        "Silence is neither approval nor rejection: the ticket goes on waiting, {status}.",
    )
    SHANGHAI = ("北京时间", "Shanghai")

    # What is verified at the end of a story
    VERIFIED = ("核验", "verified")
    V_OUTCOME = ("结果为「{outcome}」", "outcome {outcome}")
    V_CLOSED = ("平台已关闭账号", "closed at the platform")
    V_BY_REQUEST = ("由本申请关闭", "by this request")
    V_NO_PERSONAL_DATA = ("个人信息已清空", "no personal data left")
    V_NOTHING_LEFT = ("其余数据均已清空", "nothing else is left either")
    V_OWNER_TOLD = ("已通知用户", "owner was told")
    V_GROUP_LIVES = ("集团账号不受影响", "group account lives on")
    V_CERTIFICATE = ("注销证明与存证链有效", "certificate and its chain hold")
    V_RECEIPTS = ("每个删除步骤均有回执", "a receipt of every phase")
    V_WAIVED = ("豁免：{checks}", "waived: {checks}")
    V_NO_WAIVER = ("无豁免", "nothing waived")
    V_STILL_OPEN = ("账号仍然可用", "account still open")
    V_NOTHING_DELETED = ("数据分毫未动", "nothing was deleted")
    V_NO_HOLD = ("未被冻结", "no hold on it")
    V_LEAD_TOLD = ("值班主管已收到升级", "duty lead was told")
    V_OWNER_TOLD_LATE = ("已如实告知用户超时", "owner was told that it is late")
    V_DECIDED_LATE = ("驳回记录为超时", "rejection recorded as late")
    V_REASONS = ("原因：{reasons}", "reasons: {reasons}")
    V_REASONS_TOGETHER = ("四个原因一次列全", "all four reasons came at once")
    V_RESTARTED = ("补材料后重新计时", "the clock was started anew")

    def of(self, locale: Locale, **values: object) -> str:
        zh, en = self.value
        return (zh if locale is Locale.ZH else en).format(**values)


def joined(parts: Iterable[str], locale: Locale) -> str:
    return ("、" if locale is Locale.ZH else ", ").join(parts)


def kind(code: str, locale: Locale) -> str:
    """The name of a kind of record, by the code that the platform or the certificate gives it."""
    name = _KINDS_ZH.get(code) if locale is Locale.ZH else None
    return name or code.replace("_", " ").replace("-", " ")


_KINDS_ZH = {
    "access_key": "访问密钥",
    "sub_user": "子用户",
    "session": "会话",
    "wechat": "微信",
    "qq": "QQ",
    "github": "GitHub",
    "voucher": "代金券",
    "pickup_voucher": "提货券",
    "qualification": "资格",
    "discount": "折扣",
    "vm": "云主机",
    "disk": "云硬盘",
    "eip": "弹性公网 IP",
    "rds": "云数据库",
    "oss": "对象存储",
    "cdn": "CDN",
    "key-pair": "密钥对",
    "security-group": "安全组",
    "name": "名称",
    "phone": "手机",
    "email": "邮箱",
    "real_name": "实名信息",
    "messages": "消息",
    "certificates": "证明",
    "transactions": "交易记录",
    "invoices": "票据",
    "access-logs": "访问日志",
    "cancellation-evidence": "注销证据",
}
"""A kind that is missing here is shown by its code: a real platform has others."""
