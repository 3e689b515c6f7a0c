"""Deadlines, and deletions that need somebody."""

from collections.abc import Awaitable
from functools import partial
from typing import Final, TypeVar

from cli import operation_screens as screens
from cli.answers import Answer, ExitCode, UsageError
from cli.parameters import Account, Flag, Id, Moment
from cli.session import open_session
from domain.business_calendar import load
from domain.deletion import DeletionStatus, DeletionView
from domain.errors import ErrorType, Refusal
from domain.model import Instant, Model
from domain.phases import Phase
from domain.policy import Policy
from runtime.settings import Settings

T = TypeVar("T")


class DueDate(Model):
    """The deadline of a ticket, and the calendar that it comes from. Provisional: it may still move."""

    due_at: Instant
    calendar: str
    provisional: bool


async def due(filed_at: Moment, /) -> Answer:
    """Count the business days.

    Parameters
    ----------
    filed_at
        ISO 8601 with its time zone: 2026-09-30T10:00+08:00, or 2026-09-30T02:00Z.
    """
    policy = Policy()
    deadlines = load(Settings().calendar_dir).deadlines(
        filed_at,
        due_days=policy.review_due_days,
        remind_days_before=policy.review_remind_days_before,
        ceiling_days=policy.review_ceiling_days,
    )
    due_date = DueDate(due_at=deadlines.due_at, calendar=deadlines.calendar, provisional=deadlines.provisional)
    return Answer(due_date, partial(screens.due, deadlines))


class DeletionShown(DeletionView):
    """A deletion; `parked` is why its request waits for operations when none of its phases does."""

    parked: str | None = None


async def show(account: Account, /) -> Answer:
    """Show a deletion. Exit code 5 while it waits for operations, 6 while it only retries."""
    async with open_session() as session:
        request = await _found(session.cancellations.view(account))
        deletion = await _found(session.cancellations.deletion(account))
    parked = request.stalled if request and request.phase is Phase.DELETION_STALLED else None
    if deletion is None and (request is None or parked is None):
        raise Refusal(ErrorType.NOT_FOUND, f"There is no deletion of account {account}.")
    if deletion is None:
        assert request is not None
        deletion = DeletionView(account_id=account, request_no=request.request_no, status=DeletionStatus.STALLED)
    shown = DeletionShown.model_validate(
        {**dict(deletion), "parked": parked, "status": DeletionStatus.STALLED if parked else deletion.status}
    )
    return _of(shown)


async def resume(account: Account | None = None, /, *, all: Flag = False, operator: Id = "operations") -> Answer:
    """Resume a deletion, or all that wait.

    Parameters
    ----------
    all
        Every deletion that waits for operations. One that cannot be resumed does not keep the others waiting.
    operator
        Opaque id of whoever removed the cause; it is kept with the deletion.
    """
    if (account is None) is not all:
        raise UsageError("Name one account, or say --all. Nothing was resumed.")
    from cli.failures import Failure, explain  # noqa: PLC0415 - heavy
    from service.errors import Unreachable  # noqa: PLC0415 - heavy

    async with open_session() as session:
        if account is not None:
            return _of(
                DeletionShown.model_validate(dict(await session.cancellations.resume_deletion(account, operator)))
            )
        resumed: list[str] = []
        failed: dict[str, Failure] = {}
        for waiting in await session.cancellations.stalled_deletions():
            try:
                await session.cancellations.resume_deletion(waiting, operator)
            except (Refusal, Unreachable) as error:
                failed[waiting] = explain(error)
            else:
                resumed.append(waiting)
    told = {
        "resumed": resumed,
        "failed": [{"account_id": name, **failure.data} for name, failure in failed.items()],
    }
    code = max((failure.code for failure in failed.values()), default=ExitCode.DONE)
    return Answer(told, partial(screens.resumed, resumed, failed), code)


async def _found(look: Awaitable[T]) -> T | None:
    try:
        return await look
    except Refusal as error:
        if error.type is not ErrorType.NOT_FOUND:
            raise
        return None


_CODE_OF: Final = {DeletionStatus.STALLED: ExitCode.STALLED, DeletionStatus.STUCK: ExitCode.STUCK}


def _of(deletion: DeletionShown) -> Answer:
    code = _CODE_OF.get(deletion.status, ExitCode.DONE)
    return Answer(deletion, partial(screens.deletion, deletion, deletion.parked), code)
