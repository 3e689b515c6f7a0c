"""What has to be true when a story is over: at the platform, in the vault and in the outbox, not only in a status."""

from collections.abc import Collection
from dataclasses import dataclass

from devtools.demo.scene import Scene
from devtools.demo.texts import Say
from devtools.demo.views import names
from domain.accounts import AccountStatus
from domain.checks import Check
from domain.deletion import DeletionPhase
from domain.notifications import StaffDesk, Template
from domain.phases import Phase
from domain.tickets import DecisionReason
from gateways.contract import ClosurePhase
from i18n.texts import text
from simulator.views import AccountState


@dataclass(frozen=True)
class Claim:
    what: str
    holds: bool


async def outcome_is(scene: Scene, expected: Phase) -> Claim:
    """The value that the workflow returned."""
    found = (await scene.request.result()).outcome
    shown = scene.say(Say.V_OUTCOME, outcome=text(found, scene.locale).title)
    return Claim(shown, found is expected)


async def closed_for_good(scene: Scene, waived: Collection[Check] = ()) -> list[Claim]:
    """The account is gone, of all that belonged to it nothing is left, and the certificate says so."""
    state = await scene.stack.store.account(scene.account_id)
    closure = state.profile.closure
    certificate = await scene.cancellations.certificate(scene.request_no)
    told = [m for m in await scene.messages() if m.template is Template.ACCOUNT_CLOSED]
    others = [left for phase, left in state.left.items() if phase is not ClosurePhase.ERASE_PERSONAL_DATA]
    deleted = {receipt.phase for receipt in certificate.receipts}
    waiver = scene.say(Say.V_WAIVED, checks=names(waived, scene.locale)) if waived else scene.say(Say.V_NO_WAIVER)
    return [
        await outcome_is(scene, Phase.CLOSED),
        Claim(scene.say(Say.V_CLOSED), state.profile.status is AccountStatus.CLOSED),
        Claim(scene.say(Say.V_BY_REQUEST), closure is not None and closure.request_id == scene.request_no),
        Claim(scene.say(Say.V_NO_PERSONAL_DATA), not state.left[ClosurePhase.ERASE_PERSONAL_DATA]),
        Claim(scene.say(Say.V_NOTHING_LEFT), not any(others)),
        Claim(scene.say(Say.V_OWNER_TOLD), bool(told)),
        Claim(scene.say(Say.V_GROUP_LIVES), state.jd_group_accounts == 1),
        # Reading it verified its hash chain.
        Claim(scene.say(Say.V_CERTIFICATE), certificate.account_id == scene.account_id),
        Claim(scene.say(Say.V_RECEIPTS), deleted == set(DeletionPhase) - {DeletionPhase.ISSUE_CERTIFICATE}),
        Claim(waiver, {waiver.check for waiver in certificate.waived} == set(waived)),
    ]


async def rejected_and_untouched(
    scene: Scene, before: AccountState, reasons: Collection[DecisionReason]
) -> list[Claim]:
    """The account goes on as if nothing had happened, and the delay was owned up to."""
    state = await scene.stack.store.account(scene.account_id)
    result = await scene.request.result()
    review = await scene.reviewed(lambda view: not view.status.is_open)
    messages = await scene.messages()
    lead = [m for m in messages if m.template is Template.TICKET_OVERDUE_LEAD and m.desk is StaffDesk.DUTY_LEAD]
    owner = [m for m in messages if m.template is Template.TICKET_OVERDUE_OWNER]
    return [
        await outcome_is(scene, Phase.REJECTED),
        Claim(
            scene.say(Say.V_REASONS, reasons=names(reasons, scene.locale)),
            set(result.rejection_reasons) == set(reasons),
        ),
        Claim(scene.say(Say.V_LEAD_TOLD), bool(lead)),
        Claim(scene.say(Say.V_OWNER_TOLD_LATE), bool(owner)),
        Claim(scene.say(Say.V_DECIDED_LATE), review.overdue and review.decisions[-1].late),
        Claim(scene.say(Say.V_STILL_OPEN), state.profile.status is AccountStatus.ACTIVE),
        Claim(scene.say(Say.V_NOTHING_DELETED), state.left == before.left and any(before.left.values())),
        Claim(scene.say(Say.V_NO_HOLD), state.held_until is None),
    ]


async def clock_restarted(scene: Scene) -> Claim:
    """New materials start the 3 business days anew."""
    review = await scene.reviewed(lambda view: view.clock is not None)
    assert review.clock is not None
    first = review.decisions[0].received_at
    return Claim(scene.say(Say.V_RESTARTED), review.clock.filed_at >= first)
