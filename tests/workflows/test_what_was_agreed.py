"""Nobody loses what was not shown and agreed to: money, vouchers, and for how long a reviewer's word counts."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from domain.accounts import AccountStatus
from domain.checks import Check
from domain.errors import ErrorType
from domain.messages import CancellationView
from domain.phases import Phase, Step
from domain.tickets import BalanceChoice, BalanceWish, IgnoredBecause, MissingPart, TicketRef
from simulator.kinds import Endpoint
from tests.support.agreements import (
    dossier_of,
    grant,
    grow,
    hand_in,
    just_before_the_seal,
    refused_without_a_trace,
    take_away,
)
from tests.support.service import Service, owner_of
from tests.support.tickets import (
    Case,
    assert_replays,
    awaiting_confirmation,
    blocked,
    file,
    put_unchecked,
    refusal,
    refused_type,
)

FORTUNE = 8_800_000
"""88,000 yuan, in fen."""

WEEKS = timedelta(days=15)
GIVE_UP = BalanceChoice(wish=BalanceWish.GIVE_UP, amount_fen=FORTUNE)
RETURN = BalanceChoice(wish=BalanceWish.RETURN, amount_fen=FORTUNE)


async def rich(service: Service) -> tuple[str, CancellationView]:
    """An account without a channel that holds a fortune, and its request as `start` answers."""
    account = await service.account(channels="", available_fen=FORTUNE)
    return account, await service.start(account)


async def filed(service: Service, account: str, ticket: TicketRef) -> CancellationView:
    return await service.cancellations.file_ticket(account, ticket, owner_of(account))


# Money


async def test_money_is_shown_before_a_ticket_can_give_it_up(service: Service) -> None:
    account, view = await rich(service)
    assert (view.phase, view.due_step) == (Phase.AWAITING_IDENTITY, Step.FILE_TICKET)
    assert view.report is not None
    assert view.ticket_needs is not None
    assert (view.report.money_fen, view.ticket_needs.balance_fen) == (FORTUNE, FORTUNE)
    refused = await refused_without_a_trace(service, account, report_digest="0" * 64, balance=GIVE_UP)
    assert (refused.type, refused.details["report_digest"]) == (ErrorType.STALE_REPORT, view.report.digest)
    # Nor round the tickets.
    for digest in (None, "0" * 64):
        ticket = await put_unchecked(service, account, report_digest=digest, balance=GIVE_UP)
        refused = await refusal(filed(service, account, ticket))
        assert (refused.type, refused.details["report_digest"]) == (ErrorType.STALE_REPORT, view.report.digest)
    assert (await service.cancellations.view(account)).review is None


@pytest.mark.parametrize(
    "said",
    [
        None,
        GIVE_UP.model_copy(update={"amount_fen": FORTUNE - 1}),
        RETURN.model_copy(update={"amount_fen": FORTUNE + 1}),
    ],
    ids=["nothing", "less", "more"],
)
async def test_a_ticket_says_what_becomes_of_the_money_that_was_shown(
    service: Service, said: BalanceChoice | None
) -> None:
    account, _ = await rich(service)
    refused = await refused_without_a_trace(service, account, balance=said)
    assert (refused.type, refused.details["missing"]) == (ErrorType.TICKET_INCOMPLETE, [MissingPart.BALANCE_CHOICE])
    refused = await refusal(filed(service, account, await put_unchecked(service, account, balance=said)))
    assert (refused.type, refused.details["missing"]) == (ErrorType.TICKET_INCOMPLETE, [MissingPart.BALANCE_CHOICE])
    assert refused.details["balance_fen"] == FORTUNE


async def handed_in(service: Service, choice: BalanceChoice) -> Case:
    account, _ = await rich(service)
    view = await hand_in(service, account, balance=choice)
    assert (view.phase, view.balance) == (Phase.UNDER_REVIEW, choice)
    assert view.review is not None
    return Case(service, account, view.review.ticket)


async def test_money_that_is_given_up_goes_with_the_account_and_the_dossier_says_so(service: Service) -> None:
    case = await handed_in(service, GIVE_UP)
    refused = await refusal(case.approve(waived=(), attested=True))
    assert refused.details["because"] == IgnoredBecause.WAIVERS_INCOMPLETE
    await case.approve(waived=(Check.BALANCE,), attested=True)
    dossier = await dossier_of(service, case.account_id)
    assert (dossier.balance, [waiver.check for waiver in dossier.waivers]) == (GIVE_UP, [Check.BALANCE])
    assert "give up the whole balance" in dossier.balance_consent


@pytest.mark.parametrize("waived", [(), (Check.BALANCE,)], ids=["nothing waived", "waived all the same"])
async def test_money_that_is_to_be_returned_keeps_the_account_open_until_it_is_gone(
    service: Service, waived: tuple[Check, ...]
) -> None:
    case = await handed_in(service, RETURN)
    await case.approve(waived=waived, attested=True)
    view = await case.in_phase(Phase.BLOCKED)
    assert view.changed is not None
    assert (view.changed.checks, view.waivers) == ((Check.BALANCE,), ())
    # However often it is asked for.
    assert (await service.recheck(case.account_id)).phase is Phase.BLOCKED
    assert (await service.store.account(case.account_id)).profile.status is AccountStatus.ACTIVE

    await service.store.set_facts(case.account_id, available_fen=0)
    assert (await service.recheck(case.account_id)).phase is Phase.AWAITING_CONFIRMATION
    await service.confirm(case.account_id)
    dossier = await dossier_of(service, case.account_id)
    assert (dossier.balance, dossier.waivers, dossier.balance_consent) == (RETURN, (), "")
    assert dossier.ticket == case.ticket
    await assert_replays(case.request)


async def test_money_that_came_after_the_report_is_shown_before_the_ticket_counts(service: Service) -> None:
    account, view = await rich(service)
    await service.store.set_facts(account, available_fen=FORTUNE + 1)
    refused = await refused_without_a_trace(service, account, balance=GIVE_UP)
    assert refused.type is ErrorType.STALE_REPORT
    latest = await service.cancellations.view(account)
    assert latest.report is not None
    assert latest.report.digest == refused.details["report_digest"] != (view.report and view.report.digest)
    assert latest.report.money_fen == FORTUNE + 1
    assert (await hand_in(service, account, balance=GIVE_UP.model_copy(update={"amount_fen": FORTUNE + 1}))).review


async def test_less_money_than_was_shown_needs_no_second_word(service: Service) -> None:
    account, _ = await rich(service)
    await service.store.set_facts(account, available_fen=1)
    view = await hand_in(service, account, balance=GIVE_UP)
    assert view.review is not None
    await Case(service, account, view.review.ticket).approve(waived=(Check.BALANCE,), attested=True)
    assert (await dossier_of(service, account)).balance == GIVE_UP


@pytest.mark.parametrize("approved", [False, True], ids=["before the approval", "after it"])
async def test_money_that_came_after_the_filing_goes_back_to_its_owner(service: Service, approved: bool) -> None:
    case = await handed_in(service, GIVE_UP)
    more = {"available_fen": FORTUNE + 1}
    async with just_before_the_seal(service, case.account_id):
        if not approved:
            await service.store.set_facts(case.account_id, **more)
        await case.approve(waived=(Check.BALANCE,), attested=True)
        await case.in_phase(Phase.SEALING)
        if approved:
            await service.store.set_facts(case.account_id, **more)
    view = await case.in_phase(Phase.BLOCKED)
    assert view.changed is not None
    assert view.changed.checks == (Check.BALANCE,)
    assert await service.store.calls(Endpoint.CLOSE, case.account_id) == []


async def test_the_dossier_has_the_word_of_the_ticket_that_was_approved(service: Service) -> None:
    case = await handed_in(service, GIVE_UP)
    await service.store.set_facts(case.account_id, available_fen=FORTUNE + 1)
    await case.approve(waived=(Check.BALANCE,), attested=True)
    await case.in_phase(Phase.BLOCKED)
    # A later one, with another word, comes to nothing; what was approved covers what is there then.
    more = RETURN.model_copy(update={"amount_fen": FORTUNE + 1})
    second = (await hand_in(service, case.account_id, balance=more)).review
    assert second is not None
    await service.review(second.ticket.ticket_no).terminate("by a test")
    await case.in_phase(Phase.BLOCKED)
    await service.store.set_facts(case.account_id, available_fen=FORTUNE)
    assert (await service.recheck(case.account_id)).phase is Phase.AWAITING_CONFIRMATION
    await service.confirm(case.account_id)
    dossier = await dossier_of(service, case.account_id)
    assert (dossier.ticket, dossier.balance) == (case.ticket, GIVE_UP)
    assert dossier.balance_consent


# Vouchers


@pytest.mark.parametrize("change", [grant, grow])
async def test_a_voucher_that_nobody_agreed_to_lose_goes_back_to_its_owner(
    service: Service, change: Callable[[Service, str], Awaitable[None]]
) -> None:
    account = await awaiting_confirmation(service)
    async with just_before_the_seal(service, account):
        await service.confirm(account)
        await change(service, account)
    view = await service.in_phase(account, Phase.BLOCKED)
    assert view.changed is not None
    assert ([item.value_fen for item in view.changed.entitlements], view.changed.entitlements_added) == ([1_000_000], 1)
    assert view.changed.checks == ()
    assert await service.store.calls(Endpoint.CLOSE, account) == []
    # Seen and confirmed, it goes with the account.
    assert (await service.recheck(account)).phase is Phase.AWAITING_CONFIRMATION
    await service.confirm(account)
    assert (await service.request(account).result()).outcome is Phase.CLOSED


async def test_a_voucher_fewer_than_was_shown_is_no_reason_to_ask_again(service: Service) -> None:
    account = await awaiting_confirmation(service)
    async with just_before_the_seal(service, account):
        await service.confirm(account)
        await take_away(service, account)
    assert (await service.request(account).result()).outcome is Phase.CLOSED


async def test_a_voucher_that_came_after_the_report_is_shown_before_a_ticket_counts(service: Service) -> None:
    account = await blocked(service)
    await grant(service, account)
    assert (await refused_without_a_trace(service, account)).type is ErrorType.STALE_REPORT
    assert (await hand_in(service, account)).phase is Phase.UNDER_REVIEW


# For how long an approval counts


async def approved_and_put_right(service: Service) -> str:
    """Approved, refused at its sealing for a new amount, which is gone by now."""
    account = await blocked(service, {"identity_lifetime": timedelta(days=30)})
    case = await file(service, account)
    await service.store.set_facts(account, available_fen=1)
    await case.approve()
    view = await case.in_phase(Phase.BLOCKED)
    assert [waiver.check for waiver in view.waivers] == [Check.ICP_FILING]
    await service.store.set_facts(account, available_fen=0)
    return account


async def test_an_approval_of_weeks_ago_waives_nothing_any_more(service: Service) -> None:
    account = await approved_and_put_right(service)
    await service.env.fast_forward(service.request(account), WEEKS)
    view = await service.recheck(account)
    assert (view.phase, view.waivers, view.approval_expires_at) == (Phase.BLOCKED, (), None)
    assert await refused_type(service.confirm(account)) is ErrorType.WRONG_PHASE
    assert (await file(service, account)).account_id == account


async def test_nobody_confirms_on_an_approval_of_weeks_ago(service: Service) -> None:
    account = await approved_and_put_right(service)
    assert (await service.recheck(account)).phase is Phase.AWAITING_CONFIRMATION
    await service.env.fast_forward(service.request(account), WEEKS)
    assert await refused_type(service.confirm(account)) is ErrorType.STALE_REPORT
    view = await service.in_phase(account, Phase.BLOCKED)
    assert view.report is not None
    assert [outcome.check for outcome in view.report.reasons_left(view.waivers)] == [Check.ICP_FILING]
    assert await service.store.calls(Endpoint.CLOSE, account) == []
