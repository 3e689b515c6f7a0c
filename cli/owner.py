"""The owner's steps, as the cloud's backend passes them on."""

from functools import partial
from typing import Annotated

from cli import screens
from cli.answers import Answer, UsageError
from cli.parameters import Account, ActingFor, Digest, Flag, Id, Language, OrStdin, actor, or_stdin
from cli.session import open_session
from domain.accounts import Channel
from domain.actors import Via
from domain.errors import ErrorType, Refusal
from domain.locale import Locale
from domain.messages import CancellationView, WithdrawalReason
from domain.model import OpaqueId, as_meant
from domain.notices import CURRENT_NOTICE
from domain.phases import Phase
from gateways.contract import ChallengeShown


class CodeOnItsWay(ChallengeShown):
    """Where the code went, and until when it counts. The destination is masked by the platform."""

    account_id: OpaqueId
    request_no: OpaqueId
    challenge_id: OpaqueId
    channel: Channel


async def start(account: Account, /, *, requested_by: Id | None = None, locale: Language = Locale.ZH) -> Answer:
    """Start a request.

    Parameters
    ----------
    requested_by
        Opaque id of the person who asks; the account's own id unless given. They cannot approve their own ticket.
    locale
        Language of the notice and of all messages to the owner: zh-CN or en.
    """
    async with open_session() as session:
        view = await session.cancellations.start(account, requested_by or account, via=Via.COMMAND_LINE, locale=locale)
        if view.phase is Phase.CHECKING:
            # Without a verified channel the report comes first.
            view = await session.cancellations.wait_while(account, Phase.CHECKING)
    if view.refusal:
        raise Refusal(
            ErrorType.ACCOUNT_NOT_CLOSABLE,
            f"Request {view.request_no} of account {account} was refused: {view.refusal}. Nothing was started.",
            refusal=view.refusal,
            request_no=view.request_no,
        )
    return _of(view)


async def status(account: Account, /) -> Answer:
    """Show a request."""
    async with open_session() as session:
        return _of(await session.cancellations.view(account))


async def send_code(account: Account, /, *, channel: Channel | None = None, acting_for: ActingFor = None) -> Answer:
    """Send a code.

    Parameters
    ----------
    channel
        Where to; the account's first verified channel unless given.
    """
    async with open_session() as session:
        if channel is None:
            channels = (await session.cancellations.wait_while(account, Phase.OPENING)).channels
            # With none verified the request itself says what to do instead.
            channel = channels[0] if channels else Channel.PHONE
        view = await session.cancellations.send_code(account, channel, actor(account, acting_for))
        assert view.challenge is not None
        shown = await session.cancellations.show_challenge(view.challenge.challenge_id)
    sent = CodeOnItsWay(
        account_id=account,
        request_no=view.request_no,
        challenge_id=view.challenge.challenge_id,
        channel=view.challenge.channel,
        **dict(shown),
    )
    return Answer(sent, partial(screens.code_sent, account, view.challenge.channel, shown))


async def verify(account: Account, code: Annotated[str, OrStdin], /, *, acting_for: ActingFor = None) -> Answer:
    """Answer the code.

    Parameters
    ----------
    code
        The code, or - to read it from standard input, where no other user of this machine can see it.
    """
    async with open_session() as session:
        return _of(await session.cancellations.verify(account, as_meant(or_stdin(code)), actor(account, acting_for)))


async def accept_notice(
    account: Account,
    /,
    *,
    show: Flag = False,
    yes: Flag = False,
    version: str | None = None,
    sha256: Digest | None = None,
    acting_for: ActingFor = None,
) -> Answer:
    """Accept the notice.

    Parameters
    ----------
    show
        Show the notice in force, accept nothing.
    yes
        The owner has read the notice in force and accepts it.
    version
        Accept this version, together with --sha256: refused when it is not the one in force.
    sha256
        The hash of the text that the owner has read.
    """
    by = actor(account, acting_for)
    async with open_session() as session:
        notice = CURRENT_NOTICE[(await session.cancellations.view(account)).locale]
        if show:
            return Answer(notice, partial(screens.notice, notice))
        if version and sha256:
            await session.cancellations.accept_notice(account, version, sha256, by)
        elif version or sha256 or not yes:
            raise UsageError(
                "Nothing was accepted. Say --yes when the owner has read this notice and accepts it, "
                "or name what was read by --version and --sha256.",
                shown=partial(screens.notice, notice),
                version=notice.version,
                sha256=notice.sha256,
            )
        else:
            await session.cancellations.accept_notice(account, notice.version, notice.sha256, by)
        return _of(await session.cancellations.wait_while(account, Phase.CHECKING))


async def recheck(account: Account, /, *, acting_for: ActingFor = None) -> Answer:
    """Check a request again."""
    async with open_session() as session:
        return _of(await session.cancellations.recheck(account, actor(account, acting_for)))


async def confirm(
    account: Account,
    /,
    *,
    report: Digest | None = None,
    i_understand: Id | None = None,
    acting_for: ActingFor = None,
) -> Answer:
    """Confirm a report.

    Parameters
    ----------
    report
        Digest of the report that the owner has seen: refused when it is not the latest.
    i_understand
        The account's id once more, to confirm the latest report, whatever it is.
    """
    if i_understand not in (None, account):
        raise UsageError("--i-understand names another account. Nothing was confirmed.")
    async with open_session() as session:
        if report is None:
            view = await session.cancellations.view(account)
            # In any other phase the request refuses, and says which step is due.
            report = view.report.digest if view.report else "0" * 64
            if i_understand is None and view.phase is Phase.AWAITING_CONFIRMATION and view.report:
                raise UsageError(
                    "Nothing was confirmed. There is no way back: to go on, say which report was read by --report, "
                    "or repeat the account's id by --i-understand.",
                    shown=partial(screens.forfeits, account, view.report),
                    report_digest=report,
                    forfeits=view.report.entitlements,
                )
        await session.cancellations.confirm(account, report, actor(account, acting_for))
        return _of(await session.cancellations.wait_while(account, Phase.SEALING))


async def withdraw(
    account: Account,
    /,
    *,
    reason: WithdrawalReason = WithdrawalReason.CHANGED_MIND,
    acting_for: ActingFor = None,
) -> Answer:
    """Withdraw a request.

    Parameters
    ----------
    reason
        Why, for the statistics.
    """
    async with open_session() as session:
        return _of(await session.cancellations.withdraw(account, reason, actor(account, acting_for)))


async def certificate(request_or_account: Id, /, *, account: Id | None = None) -> Answer:
    """Show a certificate.

    Parameters
    ----------
    request_or_account
        Request number, or account id.
    account
        The account, where several have a request of that number.
    """
    # It is in the vault alone, so that it can be had when Temporal has forgotten the account, or is down.
    async with open_session(lazy=True) as session:
        try:
            found = await session.cancellations.certificate(request_or_account, account)
        except Refusal as by_number:
            if account or by_number.type is not ErrorType.NOT_FOUND:
                raise
            try:
                found = await session.cancellations.certificate_of_account(request_or_account)
            except Refusal as by_account:
                raise (by_number if by_account.type is ErrorType.NOT_FOUND else by_account) from None
    return Answer(found, partial(screens.certificate, found))


def _of(view: CancellationView) -> Answer:
    return Answer(view, partial(screens.request, view))
