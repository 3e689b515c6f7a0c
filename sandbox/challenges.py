"""Codes: the owner shows that a verified channel is theirs, and gets a proof of it.

A code is six random digits and leaves by the outbox only; the database holds keyed hashes of it and of the proof.
Every step locks the account first, so however many answers arrive at once, the tries are counted one by one.
"""

import hmac
import secrets
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path
from sqlalchemy import Connection, insert, select, update

from domain.accounts import AccountStatus, Channel
from domain.errors import ErrorType
from domain.locale import Locale
from domain.model import OpaqueId
from domain.notifications import Template
from gateways.contract import (
    ChallengeCreated,
    ChallengeRequest,
    ChallengeShown,
    CodeAnswer,
    Group,
    ProofIssued,
)
from sandbox.code_limits import refuse_too_many_answers, refuse_too_many_codes
from sandbox.database import AnyRow, utc_now
from sandbox.faults import FaultyRoute
from sandbox.kinds import Effect, Endpoint, PersonalKind
from sandbox.messaging import Message, hand_to_carrier
from sandbox.openapi import ACCOUNT_PROBLEMS, COMMON_PROBLEMS, problems
from sandbox.problems import PlatformProblem
from sandbox.state import AccountId, Platform, Sandbox, lock_account, record_call
from sandbox.tables import ChallengeRow, PersonalDataRow

router = APIRouter(route_class=FaultyRoute, tags=[Group.IDENTITY])

ChallengeId = Annotated[OpaqueId, Path()]


@router.post(
    "/accounts/{account_id}/challenges",
    name=Endpoint.CREATE_CHALLENGE,
    responses=problems(
        *ACCOUNT_PROBLEMS,
        ErrorType.CHANNEL_NOT_VERIFIED,
        ErrorType.ACCOUNT_NOT_CLOSABLE,
        ErrorType.RESEND_TOO_SOON,
        ErrorType.DAILY_CODE_LIMIT,
        ErrorType.IDEMPOTENCY_CONFLICT,
    ),
)
async def create_challenge(account_id: AccountId, request: ChallengeRequest, platform: Platform) -> ChallengeCreated:
    """Send a code to a verified channel. The same `request_id` again answers the same challenge and sends nothing."""
    with platform.write() as tx:
        account = lock_account(tx, account_id)

        def send() -> tuple[ChallengeCreated, Effect]:
            if account.status is AccountStatus.CLOSED:
                raise PlatformProblem(ErrorType.ACCOUNT_NOT_CLOSABLE, "The account is closed already.")
            return _send_code(tx, platform, account_id, request.channel), Effect.APPLIED

        return platform.once(
            tx, Endpoint.CREATE_CHALLENGE, account_id, request.request_id, request, ChallengeCreated, send
        )


def _send_code(tx: Connection, platform: Sandbox, account_id: str, channel: Channel) -> ChallengeCreated:
    now = utc_now()
    destination = tx.scalar(
        select(PersonalDataRow.value).where(
            PersonalDataRow.account_id == account_id,
            PersonalDataRow.kind == PersonalKind[channel],
            PersonalDataRow.verified,
        )
    )
    if destination is None:
        raise PlatformProblem(
            ErrorType.CHANNEL_NOT_VERIFIED,
            f"{channel} is not verified on this account. Use another channel, or a ticket.",
        )
    refuse_too_many_codes(tx, platform.settings, account_id, channel, now)
    challenge_id = f"chl-{secrets.token_hex(12)}"
    code = f"{secrets.randbelow(1_000_000):06d}"
    created = ChallengeCreated(
        challenge_id=challenge_id,
        expires_at=now + timedelta(seconds=platform.settings.code_life_seconds),
        resend_after=now + timedelta(seconds=platform.settings.resend_delay_seconds),
    )
    tx.execute(
        insert(ChallengeRow).values(
            id=challenge_id,
            account_id=account_id,
            channel=channel,
            masked_destination=mask(channel, destination),
            code_hash=platform.keyed_hash("code", challenge_id, code),
            tries=platform.settings.code_tries,
            created_at=now,
            resend_after=created.resend_after,
            expires_at=created.expires_at,
        )
    )
    minutes = str(max(1, platform.settings.code_life_seconds // 60))
    message = Message(Template.IDENTITY_CODE, Locale.ZH, {"code": code, "minutes": minutes})
    hand_to_carrier(tx, message, {PersonalKind[channel]: destination}, account_id=account_id)
    return created


@router.get(
    "/challenges/{challenge_id}",
    name=Endpoint.SHOW_CHALLENGE,
    responses=problems(ErrorType.CHALLENGE_UNKNOWN, *COMMON_PROBLEMS),
)
async def show_challenge(challenge_id: ChallengeId, platform: Platform) -> ChallengeShown:
    """Where the code went, masked, and what is left of it. For the owner's pages and command line only."""
    challenge = _challenge(platform.connection, challenge_id)
    return ChallengeShown(
        masked_destination=challenge.masked_destination,
        tries_left=challenge.tries - challenge.wrong_answers,
        expires_at=challenge.expires_at,
        resend_after=challenge.resend_after,
    )


@router.post(
    "/challenges/{challenge_id}/answers",
    name=Endpoint.ANSWER_CHALLENGE,
    responses=problems(
        ErrorType.CHALLENGE_UNKNOWN,
        ErrorType.CODE_WRONG,
        ErrorType.CODE_EXPIRED,
        ErrorType.CODE_LOCKED,
        ErrorType.PROOF_USED,
        *COMMON_PROBLEMS,
    ),
)
async def answer_challenge(challenge_id: ChallengeId, answer: CodeAnswer, platform: Platform) -> ProofIssued:
    """Answer with the code; the right one yields one proof, once (`ProofUsed` after that). Wrong ones are counted."""
    with platform.write() as tx:
        result = _judge(tx, platform, challenge_id, answer.code.get_secret_value())
    # Raised outside the transaction: a wrong answer has to stay counted.
    if isinstance(result, PlatformProblem):
        raise result
    return result


def _judge(tx: Connection, platform: Sandbox, challenge_id: str, code: str) -> ProofIssued | PlatformProblem:
    now = utc_now()
    account_id = _challenge(tx, challenge_id).account_id
    lock_account(tx, account_id)
    refuse_too_many_answers(tx, platform.settings, account_id, now)
    # The try is used up before the code is compared, and given back when the code is right.
    tried = tx.execute(
        update(ChallengeRow)
        .where(
            ChallengeRow.id == challenge_id,
            ChallengeRow.answered_at.is_(None),
            ChallengeRow.wrong_answers < ChallengeRow.tries,
            ChallengeRow.expires_at > now,
        )
        .values(wrong_answers=ChallengeRow.wrong_answers + 1)
        .returning(ChallengeRow.code_hash, (ChallengeRow.tries - ChallengeRow.wrong_answers).label("tries_left"))
    )
    challenge = tried.one_or_none()
    if challenge is None:
        return _why_not(_challenge(tx, challenge_id))
    if hmac.compare_digest(challenge.code_hash, platform.keyed_hash("code", challenge_id, code)):
        return _issue_proof(tx, platform, account_id, challenge_id, now)
    left: int = challenge.tries_left
    if left:
        return PlatformProblem(ErrorType.CODE_WRONG, f"Wrong code; {left} tries left.", tries_left=left)
    return PlatformProblem(ErrorType.CODE_LOCKED, "Wrong code, and no try left. Ask for a new code.", tries_left=0)


def _issue_proof(tx: Connection, platform: Sandbox, account_id: str, challenge_id: str, now: datetime) -> ProofIssued:
    proof = secrets.token_hex(32)
    tx.execute(
        update(ChallengeRow)
        .where(ChallengeRow.id == challenge_id)
        .values(
            wrong_answers=ChallengeRow.wrong_answers - 1,
            answered_at=now,
            proof_hash=platform.keyed_hash("proof", challenge_id, proof),
            proof_expires_at=now + timedelta(seconds=platform.settings.proof_life_seconds),
        )
    )
    record_call(tx, Endpoint.ANSWER_CHALLENGE, account_id, challenge_id, Effect.APPLIED)
    return ProofIssued(proof=proof)


def _why_not(challenge: AnyRow) -> PlatformProblem:
    if challenge.answered_at is not None:
        return PlatformProblem(ErrorType.PROOF_USED, "This code has been answered. Ask for a new code to start again.")
    if challenge.wrong_answers >= challenge.tries:
        return PlatformProblem(ErrorType.CODE_LOCKED, "No try left for this code. Ask for a new code.", tries_left=0)
    return PlatformProblem(ErrorType.CODE_EXPIRED, "This code has expired. Ask for a new code.")


def mask(channel: Channel, destination: str) -> str:
    """Enough for its owner to recognise: 138****8000, z***@example.com."""
    if channel is Channel.PHONE:
        return f"{destination[:3]}****{destination[-4:]}"
    name, _, domain = destination.partition("@")
    return f"{name[:1]}***@{domain}"


def _challenge(connection: Connection, challenge_id: str) -> AnyRow:
    found = connection.execute(select(*ChallengeRow.__table__.c).where(ChallengeRow.id == challenge_id))
    challenge = found.one_or_none()
    if challenge is None:
        raise PlatformProblem(ErrorType.CHALLENGE_UNKNOWN, "No such challenge. Ask for a new code.")
    return challenge
