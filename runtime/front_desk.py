"""What the command line and the console do for people: one method a step, every error a `Refusal` or `Unreachable`.

It talks to Temporal by the documented messages only; a backend may use those directly and needs none of this.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr
from temporalio.client import (
    Client,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowUpdateStage,
)
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.account import unfinished_deletion
from domain.accounts import Channel
from domain.deletion import Certificate, DeletionView, Dossier, certificate_path
from domain.errors import ErrorType, Refusal
from domain.ids import cancellation_workflow_id, deletion_workflow_id, new_number, review_workflow_id
from domain.locale import Locale
from domain.messages import (
    AcceptNotice,
    CancellationInput,
    CancellationResult,
    CancellationView,
    CodeSent,
    Confirm,
    DecisionAnswer,
    FileTicket,
    Recheck,
    Resume,
    ReviewResult,
    ReviewView,
    SendCode,
    SubmitIdentityProof,
    SupplyMaterials,
    Withdraw,
    WithdrawalReason,
)
from domain.model import Model
from domain.phases import Phase, Step
from domain.policy import Policy
from domain.tickets import Decision, DecisionKind, DecisionRequest, TicketRef
from gateways.contract import ChallengeShown
from gateways.platform import ChallengeDesk
from gateways.ports import Platform, Vault
from runtime.plain_errors import lacks_namespace, plain_errors
from runtime.ticket_queue import Bucket, Page, count, page
from workflows.account_cancellation import AccountCancellation
from workflows.account_deletion import AccountDeletion
from workflows.search_attributes import CANCELLATION_PHASE
from workflows.ticket_review import TicketReview

ANSWER_LIMIT = timedelta(seconds=40)
"""How long a step may take before it is called unreachable: longer than a re-check with dead upstreams."""

LOOK_LIMIT = timedelta(seconds=20)
"""How long a look at a workflow may take. For 10 s after a worker has crashed Temporal goes on asking that one."""

OPENING_LIMIT = timedelta(seconds=10)
"""How long `start` waits for the platform's word about the account before it answers with phase OPENING."""

BEGINNING_LIMIT = timedelta(seconds=10)
"""How long a deletion may take to exist once its request is in phase DELETING: usually some milliseconds."""

_POLL = 0.05


class FrontDesk:
    """The steps of owners, staff and ops.

    `challenges` is the platform's side for codes: they are answered there, and never pass through Temporal.
    """

    def __init__(
        self, client: Client, task_queue: str, platform: Platform, challenges: ChallengeDesk, vault: Vault
    ) -> None:
        self._client = client
        self._task_queue = task_queue
        self._platform = platform
        self._challenges = challenges
        self.vault = vault

    # Owner and backend

    async def start(
        self,
        account_id: str,
        requested_by: str,
        *,
        locale: Locale = Locale.ZH,
        policy: Policy | None = None,
        request_no: str | None = None,
    ) -> CancellationView:
        """Start a request, or find the running one: same account, same request number. Waits for the first phase."""
        request_no = request_no or new_number("C", datetime.now(UTC))
        async with plain_errors(f"request of account {account_id}"):
            await self._client.start_workflow(
                AccountCancellation.run,
                CancellationInput(
                    request_no=request_no,
                    account_id=account_id,
                    requested_by=requested_by,
                    locale=locale,
                    policy=policy or Policy(),
                ),
                id=cancellation_workflow_id(account_id),
                task_queue=self._task_queue,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                request_eager_start=True,
                static_summary=f"Cancellation of {account_id}",
                search_attributes=TypedSearchAttributes([SearchAttributePair(CANCELLATION_PHASE, Phase.OPENING)]),
                rpc_timeout=ANSWER_LIMIT,
            )
        return await self.wait_while(account_id, Phase.OPENING, OPENING_LIMIT)

    async def view(self, account_id: str) -> CancellationView:
        async with plain_errors(f"request of account {account_id}"):
            return await self._request(account_id).query(AccountCancellation.view, rpc_timeout=LOOK_LIMIT)

    async def describe(self, account_id: str) -> WorkflowExecutionDescription:
        """What Temporal itself knows, without a worker. A longer history or another run may mean another view."""
        async with plain_errors(f"request of account {account_id}"):
            return await self._request(account_id).describe(rpc_timeout=LOOK_LIMIT)

    async def wait_while(self, account_id: str, phase: Phase, limit: timedelta = ANSWER_LIMIT) -> CancellationView:
        """The request once it has left a phase, or as it is when `limit` is over."""
        deadline = asyncio.get_running_loop().time() + limit.total_seconds()
        view = await self.view(account_id)
        while view.phase is phase and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(_POLL)
            view = await self.view(account_id)
        return view

    async def send_code(self, account_id: str, channel: Channel) -> CancellationView:
        return await self._step(account_id, Step.SEND_CODE, SendCode(channel=channel))

    async def show_challenge(self, challenge_id: str) -> ChallengeShown:
        async with plain_errors("identity code"):
            return await self._challenges.show_challenge(challenge_id)

    async def verify(self, account_id: str, code: str) -> CancellationView:
        """Answer the latest challenge at the platform, and have the workflow redeem the proof."""
        challenge = challenge_of(await self.view(account_id))
        async with plain_errors(f"identity code of account {account_id}"):
            issued = await self._challenges.answer_challenge(challenge.challenge_id, SecretStr(code))
        proof = SubmitIdentityProof(challenge_id=challenge.challenge_id, proof=issued.proof)
        return await self._step(account_id, Step.SUBMIT_IDENTITY_PROOF, proof)

    async def accept_notice(self, account_id: str, version: str, sha256: str) -> CancellationView:
        return await self._step(account_id, Step.ACCEPT_NOTICE, AcceptNotice(version=version, sha256=sha256))

    async def recheck(self, account_id: str) -> CancellationView:
        """Run the checks, or wait for those that run already; answers with the complete report."""
        return await self._step(account_id, Step.RECHECK, Recheck())

    async def begin_recheck(self, account_id: str) -> None:
        """As `recheck`, without waiting for the report: for whoever shows the checks as they finish."""
        async with plain_errors(f"request of account {account_id}"):
            await self._request(account_id).start_update(
                Step.RECHECK.value,
                Recheck(),
                wait_for_stage=WorkflowUpdateStage.ACCEPTED,
                result_type=CancellationView,
                rpc_timeout=ANSWER_LIMIT,
            )

    async def confirm(self, account_id: str, report_digest: str) -> CancellationView:
        return await self._step(account_id, Step.CONFIRM, Confirm(report_digest=report_digest))

    async def withdraw(self, account_id: str, reason: WithdrawalReason) -> CancellationView:
        return await self._step(account_id, Step.WITHDRAW, Withdraw(reason_code=reason))

    async def file_ticket(self, account_id: str, ticket: TicketRef) -> CancellationView:
        return await self._step(account_id, Step.FILE_TICKET, FileTicket(ticket=ticket))

    async def supply_materials(self, account_id: str, ticket: TicketRef) -> CancellationView:
        return await self._step(account_id, Step.SUPPLY_MATERIALS, SupplyMaterials(ticket=ticket))

    async def certificate(self, request_no: str) -> Certificate:
        """By request number: the account is gone by then. Its hash chain is verified on the way."""
        async with plain_errors(f"certificate of {request_no}"):
            found = await self.vault.find(certificate_path(request_no), Certificate)
            if found is None:
                raise Refusal(
                    ErrorType.NOT_FOUND,
                    f"There is no certificate of {request_no}; it is issued when the account is gone.",
                )
            await self.vault.read(found[0].previous, Dossier)
            return found[0]

    # Staff

    async def queued(self, bucket: Bucket, size: int, token: str | None = None) -> Page:
        """A page of one bucket of the queue: the first, or the one that `token` of the page before leads to."""
        async with plain_errors("ticket queue"):
            return await page(self._client, bucket, size, token)

    async def queue_count(self, bucket: Bucket) -> int:
        async with plain_errors("ticket queue"):
            return await count(self._client, bucket)

    async def review(self, ticket_no: str) -> ReviewView:
        async with plain_errors(f"ticket {ticket_no}"):
            return await self._review(ticket_no).query(TicketReview.view, rpc_timeout=LOOK_LIMIT)

    async def decide(self, kind: DecisionKind, decision: Decision) -> DecisionAnswer:
        """Decide with an answer. Asking again with the same decision id gets the first answer, also after the end."""
        async with plain_errors(f"ticket {decision.ticket_no}"):
            return await self._review(decision.ticket_no).execute_update(
                TicketReview.decide,
                DecisionRequest(kind=kind, decision=decision),
                id=decision.decision_id,
                rpc_timeout=ANSWER_LIMIT,
            )

    async def signal_decision(self, kind: DecisionKind, decision: Decision) -> None:
        """Decide without waiting for an answer: goes through while every worker is down."""
        async with plain_errors(f"ticket {decision.ticket_no}"):
            await self._review(decision.ticket_no).signal(kind.value, decision, rpc_timeout=ANSWER_LIMIT)

    # Operations

    async def deletion(self, account_id: str) -> DeletionView:
        async with plain_errors(f"deletion of account {account_id}"):
            await self._begun(account_id)
            return await self._deletion(account_id).query(AccountDeletion.view, rpc_timeout=LOOK_LIMIT)

    async def resume_deletion(self, account_id: str, operator_id: str) -> DeletionView:
        """Wake a stalled deletion, or start again one that was terminated. Nothing is done twice.

        Raises `Refusal`: `NotStalled` while it goes on by itself, `AlreadyOver` when nothing is left to delete.
        """
        async with plain_errors(f"deletion of account {account_id}"):
            handle = self._deletion(account_id)
            if await self._begun(account_id) is WorkflowExecutionStatus.RUNNING:
                view: DeletionView = await handle.execute_update(
                    "resume",
                    Resume(operator_id=operator_id),
                    result_type=DeletionView,
                    rpc_timeout=ANSWER_LIMIT,
                )
                return view
            unfinished = await unfinished_deletion(self.vault, await self._platform.profile(account_id))
            if unfinished is None:
                raise Refusal(
                    ErrorType.ALREADY_OVER,
                    f"Account {account_id} has no unfinished deletion: it is open, or its certificate is issued.",
                )
            try:
                await self._client.start_workflow(
                    AccountDeletion.run,
                    unfinished,
                    id=deletion_workflow_id(account_id),
                    task_queue=self._task_queue,
                    id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                    static_summary=f"Deletion of {account_id}, resumed by {operator_id}",
                    rpc_timeout=ANSWER_LIMIT,
                )
            except WorkflowAlreadyStartedError:
                # Its request, or somebody else who resumed it, was quicker.
                raise Refusal(
                    ErrorType.NOT_STALLED, f"The deletion of {account_id} has just been started; it goes on by itself."
                ) from None
            return await handle.query(AccountDeletion.view, rpc_timeout=LOOK_LIMIT)

    async def _begun(self, account_id: str) -> WorkflowExecutionStatus | None:
        """The deletion's status, or None. A request is in phase DELETING a moment before its deletion exists."""
        handle, request = self._deletion(account_id), self._request(account_id)
        deadline = asyncio.get_running_loop().time() + BEGINNING_LIMIT.total_seconds()
        while (found := await _described(handle)) is None and asyncio.get_running_loop().time() < deadline:
            asked = await _described(request)
            if asked is None or asked.status is not WorkflowExecutionStatus.RUNNING:
                return None
            if asked.typed_search_attributes.get(CANCELLATION_PHASE) != Phase.DELETING:
                return None
            await asyncio.sleep(_POLL)
        return found.status if found else None

    # Handles

    def _request(self, account_id: str) -> WorkflowHandle[AccountCancellation, CancellationResult]:
        return self._client.get_workflow_handle_for(AccountCancellation.run, cancellation_workflow_id(account_id))

    def _review(self, ticket_no: str) -> WorkflowHandle[TicketReview, ReviewResult]:
        return self._client.get_workflow_handle_for(TicketReview.run, review_workflow_id(ticket_no))

    def _deletion(self, account_id: str) -> WorkflowHandle[AccountDeletion, DeletionView]:
        return self._client.get_workflow_handle_for(AccountDeletion.run, deletion_workflow_id(account_id))

    async def _step(self, account_id: str, step: Step, argument: Model) -> CancellationView:
        async with plain_errors(f"request of account {account_id}"):
            view: CancellationView = await self._request(account_id).execute_update(
                step.value, argument, result_type=CancellationView, rpc_timeout=ANSWER_LIMIT
            )
            return view


def challenge_of(view: CancellationView) -> CodeSent:
    """Raises `Refusal` (WRONG_PHASE) when no code was sent."""
    if view.challenge is None:
        raise Refusal(
            ErrorType.WRONG_PHASE,
            f"No code was sent for account {view.account_id}: send one first (send-code).",
            phase=view.phase,
            due_step=view.due_step,
        )
    return view.challenge


async def _described(handle: WorkflowHandle[Any, Any]) -> WorkflowExecutionDescription | None:
    try:
        return await handle.describe(rpc_timeout=LOOK_LIMIT)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND and not lacks_namespace(error):
            return None
        raise
