"""The owner's steps, several at a time, for whoever measures something that lies between them."""

from devtools.demo.stack import Stack
from domain.accounts import Channel
from domain.actors import Actor, Via
from domain.locale import Locale
from domain.notices import CURRENT_NOTICE
from domain.phases import Phase


def _owner(account_id: str) -> Actor:
    return Actor(subject=f"owner-of-{account_id}", via=Via.TEMPORAL)


async def to_notice(stack: Stack, account_id: str) -> None:
    by = _owner(account_id)
    await stack.cancellations.start(account_id, by.subject, via=by.via)
    await stack.cancellations.send_code(account_id, Channel.PHONE, by)
    await stack.cancellations.verify(account_id, await stack.store.latest_code(account_id), by)


async def accept(stack: Stack, account_id: str) -> None:
    notice = CURRENT_NOTICE[Locale.ZH]
    await stack.cancellations.accept_notice(account_id, notice.version, notice.sha256, _owner(account_id))


async def to_confirmation(stack: Stack, account_id: str) -> None:
    await to_notice(stack, account_id)
    await accept(stack, account_id)
    await stack.cancellations.wait_while(account_id, Phase.CHECKING)


async def confirm(stack: Stack, account_id: str) -> None:
    report = (await stack.cancellations.view(account_id)).report
    assert report is not None
    await stack.cancellations.confirm(account_id, report.digest, _owner(account_id))
