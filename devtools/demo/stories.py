"""The four stories. Each ends with what has to be true: at the platform, in the vault and in the outbox."""

from collections.abc import Awaitable, Callable

from rich.padding import Padding

from devtools.demo.letter import scanned_letter
from devtools.demo.scene import Scene, WrongTurn
from devtools.demo.ticket_clock import pass_deadline
from domain.accounts import AccountStatus
from domain.checks import Check, CheckOutcome, Figure, Marketplace
from domain.deletion import DeletionPhase
from domain.messages import ReviewClock
from domain.notifications import StaffDesk, Template
from domain.phases import Phase
from domain.tickets import DecisionKind, DecisionReason, ReviewStatus
from i18n.formatting import day_end_or_time, listed, yuan
from i18n.texts import kind_name, text, titles

Claims = dict[str, bool]
"""What has to be true when a story is over, and whether it is."""

Story = Callable[[Scene], Awaitable[Claims]]


async def clean(scene: Scene) -> Claims:
    stage = scene.stage
    stage.chapter("自助注销：没有任何阻碍的个人账号", "Self-service: an individual account with nothing in the way")
    await scene.ask()
    await scene.message(Template.IDENTITY_CODE)
    await scene.identify()
    await scene.watch_checks()
    await stage.system("检测全部通过，可以确认注销", "all checks passed: the owner may confirm")
    await scene.confirm()
    await scene.watch_deletion()
    stage.console.print(Padding(await scene.certificate(), (0, 0, 0, 11)))
    dossier = (await scene.cancellations.certificate(scene.request_no)).previous.sha256[:12]
    await stage.system(
        f"存证链：注销证明 → 封存卷宗 {dossier}…，哈希一致", f"chain: certificate → dossier {dossier}..., hashes match"
    )
    return await closed_for_good(scene)


async def four_reasons(scene: Scene) -> Claims:
    stage, locale = scene.stage, scene.locale
    stage.chapter("四个原因同时阻碍，逐一解决", "Four reasons at once, put right one by one")
    report = await scene.to_report()
    count = len(report.reasons_left())
    await stage.system(
        f"{count} 个原因同时列出，不必逐个碰壁", f"shows {count} reasons together, not one after the other"
    )
    found = {outcome.check: outcome for outcome in report.outcomes}
    arrears = yuan(found[Check.ARREARS].figures[Figure.ARREARS_FEN], locale)
    money = yuan(found[Check.BALANCE].figures[Figure.AVAILABLE_FEN], locale)
    if report.pay_before_withdrawing:
        await stage.system(
            f"欠费会冻结提现：请先缴清欠费 {arrears}，再提现 {money}。",
            f"Arrears block withdrawals: pay {arrears} first, then withdraw {money}.",
        )
    await stage.owner(f"缴清欠费 {arrears}", f"pays the arrears of {arrears}")
    await _put_right(scene, {"arrears_fen": 0}, still=3)
    await stage.owner(f"提现 {money}", f"withdraws {money}")
    await _put_right(scene, {"available_fen": 0}, still=2)
    await stage.owner(
        "与业务联系人协商，终止云市场业务", "agrees with the business contact to end the marketplace business"
    )
    await _put_right(scene, {f"provider.{Marketplace.CLOUD_MARKET}": 0}, still=1)
    rest = found[Check.RESOURCES].items
    products = listed((f"{kind_name(item.code, locale)} ×{item.count}" for item in rest), locale)
    await stage.owner(f"释放 {products}", f"releases {products}")
    await _put_right(scene, {f"resources.{item.code}": 0 for item in rest}, still=0)
    await scene.confirm()
    await scene.watch_deletion()
    together = scene.say("四个原因一次列全", "all four reasons came at once")
    return {together: count == 4} | await closed_for_good(scene)


async def _put_right(scene: Scene, facts: dict[str, int], *, still: int) -> None:
    """The world changes at the platform, and the owner has it checked again."""
    await scene.stack.store.set_facts(scene.account_id, **facts)
    left = (await scene.recheck()).reasons_left()
    if len(left) != still:
        raise WrongTurn(f"{len(left)} reasons left instead of {still}")
    checks = titles(_checks(left), scene.locale)
    if left:
        await scene.stage.system(f"还剩 {still} 个原因：{checks}", f"{still} left: {checks}")
    else:
        await scene.stage.system("检测全部通过，可以确认注销", "all checks passed: the owner may confirm")


async def enterprise(scene: Scene) -> Claims:
    stage = scene.stage
    stage.chapter("企业账号：盖章同意书、工单、放弃余额", "An enterprise: stamped letter, ticket, a balance given up")
    waived = await _to_ticket_desk(scene)
    number = await scene.file_ticket(scanned_letter(scene.account_id, stamped=False))
    await stage.owner(
        f"提交工单 {number}，放弃余额，附未盖章的同意书扫描件",
        f"files ticket {number}: gives up the balance, attaches the letter, not stamped yet",
    )
    await _answer_due(scene)

    missing = await scene.decision(DecisionReason.SEAL_MISSING)
    await scene.cancellations.decide(DecisionKind.REQUEST_MATERIALS, missing)
    reasons = titles(missing.reason_codes, scene.locale)
    await stage.staff(f"要求补充材料：{reasons}；计时暂停", f"asks for materials: {reasons}; the clock stops")
    await scene.message(Template.TICKET_MATERIALS_REQUESTED)
    await scene.reach(Phase.AWAITING_MATERIALS)
    await scene.supply(scanned_letter(scene.account_id, stamped=True))
    await stage.owner("补交盖章扫描件，重新计时", "supplies the stamped letter: the clock starts anew")
    clock = await _answer_due(scene)

    approval = await scene.decision(waived=waived)
    checks = titles(waived, scene.locale)
    await scene.cancellations.decide(DecisionKind.APPROVE, approval)
    await stage.staff(f"批准，豁免 {checks}", f"approves, waiving {checks}")
    await scene.watch_deletion()
    asked_at = (await scene.reviewed(lambda view: bool(view.decisions))).decisions[0].received_at
    anew = scene.say("补材料后重新计时", "the clock was started anew")
    return await closed_for_good(scene, *waived) | {anew: clock.filed_at >= asked_at}


async def unanswered(scene: Scene) -> Claims:
    stage, locale = scene.stage, scene.locale
    stage.chapter("没人处理的工单：超时升级，而后驳回", "A ticket nobody answers: escalated, then rejected")
    before = await scene.stack.store.account(scene.account_id)
    await _to_ticket_desk(scene)
    number = await scene.file_ticket(None)
    await stage.owner(
        f"提交工单 {number}，声明已阅读并同意须知",
        f"files ticket {number}, stating that the notice was read and accepted",
    )
    clock = await _answer_due(scene)
    await pass_deadline(scene, clock)
    await scene.message(Template.TICKET_OVERDUE_LEAD)
    await scene.message(Template.TICKET_OVERDUE_OWNER)
    status = text((await scene.reviewed(lambda view: view.status.is_open)).status, locale).title
    await stage.system(
        f"超时不等于批准，也不等于驳回：工单继续等待，状态 {status}。",
        f"Silence is neither approval nor rejection: the ticket goes on waiting, {status}.",
    )
    rejection = await scene.decision(DecisionReason.DISPUTE_OPEN)
    await scene.cancellations.signal_decision(DecisionKind.REJECT, rejection)
    reasons = titles(rejection.reason_codes, scene.locale)
    await stage.staff(f"驳回：{reasons}（已超时）", f"rejects: {reasons} (late)")
    await scene.message(Template.TICKET_REJECTED)
    await scene.reach(Phase.REJECTED)
    await stage.system("申请结束，账号照常可用", "ends the request; the account goes on as before")

    state = await scene.stack.store.account(scene.account_id)
    result = await scene.request.result()
    review = await scene.reviewed(lambda view: not view.status.is_open)
    told = {(message.template, message.desk) for message in await scene.messages()}
    return await outcome_is(scene, Phase.REJECTED) | {
        scene.say(f"原因：{reasons}", f"reasons: {reasons}"): result.rejection_reasons == rejection.reason_codes,
        scene.say("值班主管已收到升级", "duty lead was told"): (Template.TICKET_OVERDUE_LEAD, StaffDesk.DUTY_LEAD)
        in told,
        scene.say("已如实告知用户超时", "owner was told that it is late"): (Template.TICKET_OVERDUE_OWNER, None)
        in told,
        scene.say("驳回记录为超时", "rejection recorded as late"): review.overdue and review.decisions[-1].late,
        scene.say("账号仍然可用", "account still open"): state.profile.status is AccountStatus.ACTIVE,
        scene.say("数据分毫未动", "nothing was deleted"): state.left == before.left and any(before.left.values()),
        scene.say("未被冻结", "no hold on it"): state.held_until is None,
    }


async def _to_ticket_desk(scene: Scene) -> tuple[Check, ...]:
    """Through the checks to the point where only a ticket helps. Answers what it would have to waive."""
    report = await scene.to_report()
    if fix := report.must_be_fixed_first():
        raise WrongTurn(f"{', '.join(_checks(fix))} cannot be waived")
    left = _checks(report.reasons_left())
    checks = titles(left, scene.locale)
    await scene.stage.system(
        f"自助到此为止；可提交工单申请豁免：{checks}", f"self-service ends here; a ticket can waive: {checks}"
    )
    return left


async def _answer_due(scene: Scene) -> ReviewClock:
    """Show by when the ticket has to be answered."""
    review = await scene.reviewed(lambda view: view.status is ReviewStatus.UNDER_REVIEW and view.clock is not None)
    assert review.clock is not None
    due, calendar = day_end_or_time(review.clock.due_at, scene.locale), review.clock.calendar
    await scene.stage.system(
        f"3 个工作日内答复：北京时间 {due}（日历 {calendar}）",
        f"to be answered within 3 business days: {due} in Beijing (calendar {calendar})",
    )
    return review.clock


def _checks(outcomes: tuple[CheckOutcome, ...]) -> tuple[Check, ...]:
    return tuple(outcome.check for outcome in outcomes)


async def outcome_is(scene: Scene, expected: Phase) -> Claims:
    """The value that the workflow returned."""
    found = (await scene.request.result()).outcome
    outcome = text(found, scene.locale).title
    return {scene.say(f"结果为「{outcome}」", f"outcome {outcome}"): found is expected}


async def closed_for_good(scene: Scene, *waived: Check) -> Claims:
    """The account is gone, of all that belonged to it nothing is left, and the certificate says so."""
    state = await scene.stack.store.account(scene.account_id)
    closure, left = state.profile.closure, dict(state.left)
    personal = left.pop(DeletionPhase.ERASE_PERSONAL_DATA)
    # Reading it verifies its hash chain.
    certificate = await scene.cancellations.certificate(scene.request_no)
    receipts = {receipt.phase for receipt in certificate.receipts}
    told = any(message.template is Template.ACCOUNT_CLOSED for message in await scene.messages())
    checks = titles(waived, scene.locale) or scene.say("无", "nothing")
    return await outcome_is(scene, Phase.CLOSED) | {
        scene.say("平台已关闭账号", "closed at the platform"): state.profile.status is AccountStatus.CLOSED,
        scene.say("由本申请关闭", "by this request"): closure is not None and closure.request_id == scene.request_no,
        scene.say("个人信息已清空", "no personal data left"): not personal,
        scene.say("其余数据均已清空", "nothing else is left either"): not any(left.values()),
        scene.say("已通知用户", "owner was told"): told,
        scene.say("集团账号不受影响", "group account lives on"): state.jd_group_accounts == 1,
        scene.say("注销证明与存证链有效", "certificate and its chain hold"): (
            certificate.account_id == scene.account_id
        ),
        scene.say("每个删除步骤均有回执", "a receipt of every phase"): (
            receipts == set(DeletionPhase) - {DeletionPhase.ISSUE_CERTIFICATE}
        ),
        scene.say(f"豁免：{checks}", f"waived: {checks}"): {w.check for w in certificate.waived} == set(waived),
    }


STORIES: dict[str, Story] = {
    "acct-clean-phone": clean,
    "acct-four-reasons": four_reasons,
    "acct-enterprise": enterprise,
    "acct-icp": unanswered,
}
"""By the account that each is played on."""
