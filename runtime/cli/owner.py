"""The owner's steps, as the cloud's backend passes them on."""

from functools import partial
from typing import Annotated

from domain.accounts import Channel
from domain.errors import ErrorType, Refusal
from domain.locale import Locale
from domain.messages import CancellationView, WithdrawalReason
from domain.model import Instant, Model, OpaqueId
from domain.notices import CURRENT_NOTICE
from domain.phases import Phase
from runtime.cli import screens
from runtime.cli.answers import Answer, UsageError
from runtime.cli.parameters import Account, Digest, Flag, Id, Language, OrStdin, or_stdin
from runtime.cli.session import open_session


class CodeOnItsWay(Model):
    """Where the code went, and until when it counts. The destination is masked by the platform."""

    account_id: OpaqueId
    request_no: OpaqueId
    challenge_id: OpaqueId
    channel: Channel
    masked_destination: str
    tries_left: int
    expires_at: Instant
    resend_after: Instant


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
        view = await session.desk.start(account, requested_by or account, locale=locale)
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
        return _of(await session.desk.view(account))


async def send_code(account: Account, /, *, channel: Channel | None = None) -> Answer:
    """Send a code.

    Parameters
    ----------
    channel
        Where to; the account's first verified channel unless given.
    """
    async with open_session() as session:
        if channel is None:
            channels = (await session.desk.wait_while(account, Phase.OPENING)).channels
            # With none verified the request itself says what to do instead.
            channel = channels[0] if channels else Channel.PHONE
        view = await session.desk.send_code(account, channel)
        assert view.challenge is not None
        shown = await session.desk.show_challenge(view.challenge.challenge_id)
    sent = CodeOnItsWay(
        account_id=account,
        request_no=view.request_no,
        challenge_id=view.challenge.challenge_id,
        channel=view.challenge.channel,
        **shown.model_dump(),
    )
    return Answer(sent, partial(screens.code_sent, account, view.challenge.channel, shown))


async def verify(account: Account, code: Annotated[str, OrStdin], /) -> Answer:
    """Answer the code.

    Parameters
    ----------
    code
        The code, or - to read it from standard input, where no other user of this machine can see it.
    """
    async with open_session() as session:
        return _of(await session.desk.verify(account, or_stdin(code).strip()))


async def accept_notice(
    account: Account,
    /,
    *,
    show: Flag = False,
    yes: Flag = False,
    version: str | None = None,
    sha256: Digest | None = None,
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
    async with open_session() as session:
        notice = CURRENT_NOTICE[(await session.desk.view(account)).locale]
        if show:
            return Answer(notice, partial(screens.notice, notice))
        if version and sha256:
            await session.desk.accept_notice(account, version, sha256)
        elif version or sha256 or not yes:
            raise UsageError(
                "Nothing was accepted. Say --yes when the owner has read this notice and accepts it, "
                "or name what was read by --version and --sha256.",
                shown=partial(screens.notice, notice),
                version=notice.version,
                sha256=notice.sha256,
            )
        else:
            await session.desk.accept_notice(account, notice.version, notice.sha256)
        return _of(await session.desk.wait_while(account, Phase.CHECKING))


async def recheck(account: Account, /) -> Answer:
    """Check a request again."""
    async with open_session() as session:
        return _of(await session.desk.recheck(account))


async def confirm(
    account: Account,
    /,
    *,
    report: Digest | None = None,
    i_understand: Id | None = None,
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
            view = await session.desk.view(account)
            # In any other phase the request refuses, and says which step is due.
            report = view.report.digest if view.report else "0" * 64
            if i_understand is None and view.phase is Phase.AWAITING_CONFIRMATION and view.report:
                raise UsageError(
                    "Nothing was confirmed. There is no way back: to go on, say which report was read by --report, "
                    "or repeat the account's id by --i-understand.",
                    shown=partial(screens.forfeits, account, view.report),
                    report_digest=report,
                    forfeits=view.report.entitlements.items if view.report.entitlements else (),
                )
        await session.desk.confirm(account, report)
        return _of(await session.desk.wait_while(account, Phase.SEALING))


async def withdraw(account: Account, /, *, reason: WithdrawalReason = WithdrawalReason.CHANGED_MIND) -> Answer:
    """Withdraw a request.

    Parameters
    ----------
    reason
        Why, for the statistics.
    """
    async with open_session() as session:
        return _of(await session.desk.withdraw(account, reason))


async def certificate(request_or_account: Id, /) -> Answer:
    """Show a certificate.

    Parameters
    ----------
    request_or_account
        Request number, or account id while Temporal still knows the request.
    """
    # By number it is in the vault alone, so that it can be had when Temporal has forgotten or is down.
    async with open_session(lazy=True) as session:
        try:
            found = await session.desk.certificate(request_or_account)
            return Answer(found, partial(screens.certificate, found))
        except Refusal as error:
            if error.type is not ErrorType.NOT_FOUND:
                raise
            by_number = error
    async with open_session() as session:
        try:
            view = await session.desk.view(request_or_account)
        except Refusal:
            raise by_number from None
        found = await session.desk.certificate(view.request_no)
        return Answer(found, partial(screens.certificate, found))


def _of(view: CancellationView) -> Answer:
    return Answer(view, partial(screens.request, view))
