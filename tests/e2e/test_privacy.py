"""No personal data in Temporal or in a log: a full run with planted data, and a scan of everything that was written.

The scan reads Temporal's own database file: no history, search attribute, memo, summary, id or failure can hide.
"""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowExecutionStatus, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.common import RawValue

from devtools.demo.stack import Stack
from domain.accounts import Channel
from domain.checks import Check
from domain.errors import Refusal
from domain.ids import cancellation_workflow_id, review_workflow_id
from domain.locale import Locale
from domain.notices import CURRENT_NOTICE
from domain.phases import Phase
from domain.tickets import BalanceChoice, BalanceWish, DecisionKind, DecisionReason
from service.tickets import Paper, file_ticket, supply_materials
from tests.e2e.conftest import Owner, new_owner
from tests.service.letters.making import pdf
from tests.support.service import decision, eventually

NOTICE = CURRENT_NOTICE[Locale.ZH]
CONTACT_EMAIL, CONTACT_PHONE = "planted.contact@example.com", "+8613912340987"
LETTER_TEXT = "planted letter of consent, Zhang Sanfeng"
NOTE_TEXT = "planted note 王小明 called from home"


def stamped_letter() -> bytes:
    return pdf(text=LETTER_TEXT)


async def personal_data(stack: Stack, account_id: str) -> list[str]:
    values = await stack.store.personal_data(account_id)
    assert len(values) >= 2, "there is nothing to leak, so nothing would be proven"
    return values


async def enterprise_request(stack: Stack, owner: Owner) -> str:
    """The manual route with everything in it: letter, materials, notes, approval. Answers the ticket's number."""
    cancellations, account_id = stack.cancellations, owner.account_id
    report = (await cancellations.view(account_id)).report
    assert report is not None
    paper = Paper(
        contact_email=CONTACT_EMAIL,
        contact_phone=CONTACT_PHONE,
        notice_version=NOTICE.version,
        notice_sha256=NOTICE.sha256,
        balance=BalanceChoice(wish=BalanceWish.GIVE_UP, amount_fen=report.money_fen),
    )
    filed = await file_ticket(
        cancellations,
        stack.tickets,
        account_id,
        paper,
        stamped_letter(),
        report_digest=report.digest,
        by=owner.by,
        now=datetime.now(UTC),
    )
    assert filed.review is not None
    number = filed.review.ticket.ticket_no
    note = await stack.tickets.put_note(number, NOTE_TEXT)
    asked = decision(await cancellations.review(number), DecisionReason.SEAL_MISSING).model_copy(
        update={"note_ref": note}
    )
    await cancellations.decide(DecisionKind.REQUEST_MATERIALS, asked)
    await eventually(lambda: cancellations.view(account_id), lambda view: view.phase is Phase.AWAITING_MATERIALS)
    again = Paper(notice_version=NOTICE.version, notice_sha256=NOTICE.sha256)
    await supply_materials(
        cancellations, stack.tickets, account_id, again, stamped_letter(), by=owner.by, now=datetime.now(UTC)
    )
    approval = decision(await cancellations.review(number), waived=(Check.BALANCE, Check.ICP_FILING))
    await cancellations.signal_decision(DecisionKind.APPROVE, approval)
    return number


def occurrences(needle: str, haystack: bytes) -> int:
    """Plain, or as JSON escapes it. Word boundaries keep a code of six digits from matching inside a timestamp."""
    forms = {needle.encode(), needle.encode("unicode_escape")}
    return sum(
        len(re.findall(rb"(?<![0-9A-Za-z.])" + re.escape(form) + rb"(?![0-9A-Za-z])", haystack)) for form in forms
    )


def everything_written(stack: Stack) -> dict[str, bytes]:
    """Temporal's database with its write-ahead log, and the logs of Temporal and the worker."""
    database = sorted(stack.workdir.glob("temporal.db*"))
    files = [*database, stack.workdir / "temporal.log", stack.workdir / "worker.log"]
    return {path.name: _read(path) for path in files}


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        # SQLite's journal comes and goes with every transaction; what it held is in the database then.
        assert path.name.endswith("-journal"), path
        return b""


async def test_nothing_personal_reaches_temporal_or_a_log_in_a_full_run(stack: Stack) -> None:
    self_service, enterprise = await new_owner(stack, "planted"), await new_owner(stack, "planted-ent")
    planted = [CONTACT_EMAIL, CONTACT_PHONE, CONTACT_PHONE.removeprefix("+86"), LETTER_TEXT, NOTE_TEXT]
    for owner in (self_service, enterprise):
        planted += await personal_data(stack, owner.account_id)

    # Self-service, with a wrong code on the way: refusals are logged, and must not quote what was typed.
    await stack.cancellations.start(self_service.account_id, self_service.by.subject)
    await stack.cancellations.send_code(self_service.account_id, Channel.PHONE, self_service.by)
    code = await stack.store.latest_code(self_service.account_id)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    with pytest.raises(Refusal) as refused:
        await stack.cancellations.verify(self_service.account_id, wrong, self_service.by)
    assert wrong not in refused.value.message + str(refused.value.details)
    await stack.cancellations.verify(self_service.account_id, code, self_service.by)
    await stack.cancellations.accept_notice(self_service.account_id, NOTICE.version, NOTICE.sha256, self_service.by)
    await stack.cancellations.recheck(self_service.account_id, self_service.by)
    await self_service.confirm()
    assert (await self_service.result()).outcome is Phase.CLOSED

    await stack.store.set_facts(
        enterprise.account_id, real_name_type="ENTERPRISE", icp_applications_ever=1, available_fen=12_300
    )
    await stack.cancellations.start(enterprise.account_id, enterprise.by.subject)
    await stack.cancellations.send_code(enterprise.account_id, Channel.PHONE, enterprise.by)
    second_code = await stack.store.latest_code(enterprise.account_id)
    await stack.cancellations.verify(enterprise.account_id, second_code, enterprise.by)
    await stack.cancellations.accept_notice(enterprise.account_id, NOTICE.version, NOTICE.sha256, enterprise.by)
    await stack.cancellations.recheck(enterprise.account_id, enterprise.by)
    ticket_no = await enterprise_request(stack, enterprise)
    assert (await enterprise.result()).outcome is Phase.CLOSED
    planted += [code, wrong, second_code]

    written = everything_written(stack)
    assert occurrences(enterprise.account_id, written["worker.log"]), "the scan would find what is there"
    assert sum(occurrences(review_workflow_id(ticket_no), data) for name, data in written.items() if ".db" in name)
    found = {(name, needle) for name, data in written.items() for needle in planted if occurrences(needle, data)}
    assert found == set()


async def test_what_somebody_sends_by_hand_is_not_repeated_in_a_log(stack: Stack) -> None:
    owner = await new_owner(stack, "by-hand")
    await stack.cancellations.start(owner.account_id, owner.by.subject)
    planted = "+8613700001111"
    handle = stack.client.get_workflow_handle(cancellation_workflow_id(owner.account_id))
    no_json = RawValue(Payload(metadata={"encoding": b"json/plain"}, data=planted.encode()))
    no_encoding = RawValue(Payload(metadata={"encoding": planted.encode()}, data=b"{}"))
    nonsense: list[object] = [planted, {planted: planted}, {"ticket": {planted: planted}}, no_json, no_encoding]
    for argument in nonsense:
        await handle.signal("review_reported", argument)
        await handle.signal("deletion_reported", args=[argument, argument])
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update("send_code", argument)
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update("send_code", args=[argument, argument])
    # What cannot be read as a start ends at once; what is no JSON is tried again and again, until somebody ends it.
    starts = [
        await stack.client.start_workflow(
            "AccountCancellation", argument, id=f"account-cancellation-nonsense-{n}", task_queue=stack.task_queue
        )
        for n, argument in enumerate(nonsense)
    ]
    for start in starts:
        if await eventually(lambda start=start: _refused(start), bool) == "again and again":  # type: ignore[misc]
            await start.terminate("by a test")
    # Answered after all signals were handled.
    assert (await stack.cancellations.view(owner.account_id)).phase is Phase.AWAITING_IDENTITY
    written = everything_written(stack)
    assert written["worker.log"].count(b"Failed deserializing signal input for review_reported") == len(nonsense)
    assert occurrences("extra_forbidden", written["worker.log"]), "it says what was wrong"
    assert [name for name in ("worker.log", "temporal.log") if planted.encode() in written[name]] == []


async def _refused(handle: WorkflowHandle[Any, Any]) -> str:
    """How a start was refused; empty while it was not."""
    if (await handle.describe()).status is WorkflowExecutionStatus.FAILED:
        return "at once"
    events = (await handle.fetch_history()).events
    failed = any(event.HasField("workflow_task_failed_event_attributes") for event in events)
    return "again and again" if failed else ""
