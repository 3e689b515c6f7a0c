"""Codes: the owner shows that a verified channel is theirs, gets a proof of it, and the proof is redeemed, once.

A code is six random digits and leaves by the outbox only; the database holds keyed hashes of it and of the proof.
Requests are obeyed one after the other, so however many answers arrive at once, the tries are counted one by one.
"""

import hmac
import secrets
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Path, Response

from domain.accounts import AccountStatus, Challenge, Channel
from domain.errors import ErrorType
from domain.locale import Locale
from domain.model import OpaqueId
from domain.notifications import Template
from gateways.contract import (
    AccountNotification,
    ChallengeRequest,
    ChallengeShown,
    CodeAnswer,
    Group,
    ProofIssued,
    Redeemed,
    RedeemRequest,
)
from simulator.database import as_model, seconds_until, utc_now
from simulator.facts import contacts
from simulator.kinds import Effect, Endpoint
from simulator.messaging import hand_to_carrier
from simulator.operations import Operations
from simulator.problems import PlatformProblem, problem_response
from simulator.state import AccountId, Simulator

router = Operations(tags=[Group.IDENTITY])

_ZONE = ZoneInfo("Asia/Shanghai")

ChallengeId = Annotated[OpaqueId, Path()]


@router.operation(
    "POST",
    "/accounts/{account_id}/challenges",
    ErrorType.CHANNEL_NOT_VERIFIED,
    ErrorType.ACCOUNT_NOT_CLOSABLE,
    ErrorType.RESEND_TOO_SOON,
    ErrorType.DAILY_CODE_LIMIT,
    once=True,
)
def create_challenge(account_id: AccountId, request: ChallengeRequest, platform: Simulator) -> Challenge:
    """Send a code to a verified channel. The same `request_id` again answers the same challenge and sends nothing."""
    channel, now, limits = request.channel, utc_now(), platform.settings
    if platform.account(account_id)["status"] == AccountStatus.CLOSED:
        raise PlatformProblem(ErrorType.ACCOUNT_NOT_CLOSABLE, "The account is closed already.")
    destination = contacts(platform, account_id).get(channel)
    if destination is None:
        raise PlatformProblem(
            ErrorType.CHANNEL_NOT_VERIFIED,
            f"{channel} is not verified on this account. Use another channel, or a ticket.",
        )
    _refuse_too_many_codes(platform, account_id, channel, now)
    challenge_id = f"chl-{secrets.token_hex(12)}"
    code = f"{secrets.randbelow(1_000_000):06d}"
    times = {
        "expires_at": now + timedelta(seconds=limits.code_life_seconds),
        "resend_after": now + timedelta(seconds=limits.resend_delay_seconds),
    }
    challenge = {
        "id": challenge_id,
        "account_id": account_id,
        "channel": channel,
        "masked_destination": mask(channel, destination),
        "code_hash": platform.keyed_hash("code", challenge_id, code),
        "tries": limits.code_tries,
        "created_at": now,
        **times,
    }
    platform.db.insert("challenges", challenge)
    params = {"code": code, "minutes": str(max(1, limits.code_life_seconds // 60))}
    message = AccountNotification(template=Template.IDENTITY_CODE, locale=Locale.ZH, params=params)
    hand_to_carrier(platform, message, {channel: destination}, account_id=account_id)
    return Challenge(challenge_id=challenge_id, **times)


@router.operation("GET", "/challenges/{challenge_id}", ErrorType.CHALLENGE_UNKNOWN)
def show_challenge(challenge_id: ChallengeId, platform: Simulator) -> ChallengeShown:
    """Where the code went, masked, and what is left of it. For the owner's pages and command line only."""
    challenge = _challenge(platform, challenge_id)
    return as_model(ChallengeShown, challenge, tries_left=challenge["tries"] - challenge["wrong_answers"])


@router.operation(
    "POST",
    "/challenges/{challenge_id}/answers",
    ErrorType.CHALLENGE_UNKNOWN,
    ErrorType.CODE_WRONG,
    ErrorType.CODE_EXPIRED,
    ErrorType.CODE_LOCKED,
    ErrorType.PROOF_USED,
    response_model=ProofIssued,
)
def answer_challenge(challenge_id: ChallengeId, answer: CodeAnswer, platform: Simulator) -> ProofIssued | Response:
    """Answer with the code; the right one yields one proof, once (`ProofUsed` after that). Wrong ones are counted."""
    now = utc_now()
    challenge = _challenge(platform, challenge_id)
    _refuse_too_many_answers(platform, challenge["account_id"], now)
    _refuse_answer(challenge, now)
    if hmac.compare_digest(
        challenge["code_hash"], platform.keyed_hash("code", challenge_id, answer.code.get_secret_value())
    ):
        return _issue_proof(platform, challenge, now)
    # Answered, not raised: a wrong answer has to stay counted.
    platform.db.change("UPDATE challenges SET wrong_answers = wrong_answers + 1 WHERE id = ?", challenge_id)
    left = challenge["tries"] - challenge["wrong_answers"] - 1
    if left:
        return problem_response(ErrorType.CODE_WRONG, f"Wrong code; {left} tries left.", tries_left=left)
    return problem_response(ErrorType.CODE_LOCKED, "Wrong code, and no try left. Ask for a new code.", tries_left=0)


def _refuse_answer(challenge: sqlite3.Row, now: datetime) -> None:
    if challenge["answered_at"] is not None:
        raise PlatformProblem(ErrorType.PROOF_USED, "This code has been answered. Ask for a new code to start again.")
    if challenge["wrong_answers"] >= challenge["tries"]:
        raise PlatformProblem(ErrorType.CODE_LOCKED, "No try left for this code. Ask for a new code.", tries_left=0)
    if challenge["expires_at"] <= now:
        raise PlatformProblem(ErrorType.CODE_EXPIRED, "This code has expired. Ask for a new code.")


def _issue_proof(platform: Simulator, challenge: sqlite3.Row, now: datetime) -> ProofIssued:
    challenge_id, proof = challenge["id"], secrets.token_hex(32)
    proof_hash = platform.keyed_hash("proof", challenge_id, proof)
    expires_at = now + timedelta(seconds=platform.settings.proof_life_seconds)
    kept = "UPDATE challenges SET answered_at = ?, proof_hash = ?, proof_expires_at = ? WHERE id = ?"
    platform.db.change(kept, now, proof_hash, expires_at, challenge_id)
    platform.record(Endpoint.ANSWER_CHALLENGE, challenge["account_id"], challenge_id, Effect.APPLIED)
    return ProofIssued(proof=proof)


@router.operation(
    "POST",
    "/accounts/{account_id}/proofs/redeem",
    ErrorType.PROOF_INVALID,
    ErrorType.PROOF_USED,
    ErrorType.PROOF_EXPIRED,
    once=True,
)
def redeem(account_id: AccountId, request: RedeemRequest, platform: Simulator) -> Redeemed:
    """Use up a proof, which belongs to its account and challenge. The same `request_id` again gets the same answer."""
    platform.account(account_id)
    now = utc_now()
    mine = "SELECT * FROM challenges WHERE id = ? AND account_id = ?"
    challenge = platform.db.row(mine, request.challenge_id, account_id)
    proof_hash = platform.keyed_hash("proof", request.challenge_id, request.proof)
    if challenge is None or not hmac.compare_digest(challenge["proof_hash"] or "", proof_hash):
        raise PlatformProblem(
            ErrorType.PROOF_INVALID, "Not a proof of this account and challenge. Answer the challenge first."
        )
    if challenge["redeemed_at"] is not None:
        raise PlatformProblem(ErrorType.PROOF_USED, "This proof has been redeemed. Ask for a new code to start again.")
    if challenge["proof_expires_at"] <= now:
        raise PlatformProblem(ErrorType.PROOF_EXPIRED, "This proof has expired. Ask for a new code to start again.")
    platform.db.change("UPDATE challenges SET redeemed_at = ? WHERE id = ?", now, request.challenge_id)
    return Redeemed(verified_at=challenge["answered_at"], channel=challenge["channel"])


def mask(channel: Channel, destination: str) -> str:
    """Enough for its owner to recognise: 138****8000, z***@example.com."""
    if channel is Channel.PHONE:
        return f"{destination[:3]}****{destination[-4:]}"
    name, _, domain = destination.partition("@")
    return f"{name[:1]}***@{domain}"


def _challenge(platform: Simulator, challenge_id: str) -> sqlite3.Row:
    challenge = platform.db.row("SELECT * FROM challenges WHERE id = ?", challenge_id)
    if challenge is None:
        raise PlatformProblem(ErrorType.CHALLENGE_UNKNOWN, "No such challenge. Ask for a new code.")
    return challenge


def _refuse_too_many_codes(platform: Simulator, account_id: str, channel: Channel, now: datetime) -> None:
    """Raises `PlatformProblem`: the day's codes or wrong answers are used up, or the last code is too fresh."""
    codes, wrong_answers = _today(platform, account_id, now)
    if codes >= platform.settings.codes_per_day or wrong_answers >= platform.settings.wrong_answers_per_day:
        raise PlatformProblem(
            ErrorType.DAILY_CODE_LIMIT,
            "This account has used up its codes, or its wrong answers, for today. Try again tomorrow.",
            retry_after_seconds=_seconds_until_tomorrow(now),
        )
    last = "SELECT resend_after FROM challenges WHERE account_id = ? AND channel = ? ORDER BY resend_after DESC"
    wait = seconds_until(platform.db.value(last, account_id, channel) or now, now)
    if wait:
        raise PlatformProblem(
            ErrorType.RESEND_TOO_SOON,
            f"A code has just gone to this channel. Ask again in {wait} seconds.",
            retry_after_seconds=wait,
        )


def _refuse_too_many_answers(platform: Simulator, account_id: str, now: datetime) -> None:
    """New codes bring new tries; this is what keeps them from being unlimited."""
    _, wrong_answers = _today(platform, account_id, now)
    if wrong_answers >= platform.settings.wrong_answers_per_day:
        raise PlatformProblem(
            ErrorType.CODE_LOCKED,
            "Too many wrong answers today. Ask for a new code tomorrow.",
            tries_left=0,
            retry_after_seconds=_seconds_until_tomorrow(now),
        )


def _today(platform: Simulator, account_id: str, now: datetime) -> tuple[int, int]:
    """How many codes the account was sent today, and how many wrong answers these were given."""
    sent = "SELECT wrong_answers FROM challenges WHERE account_id = ? AND created_at >= ?"
    wrong_answers = [row["wrong_answers"] for row in platform.db.rows(sent, account_id, start_of_day(now))]
    return len(wrong_answers), sum(wrong_answers)


def _seconds_until_tomorrow(now: datetime) -> int:
    return seconds_until(start_of_day(now) + timedelta(days=1), now)


def start_of_day(now: datetime) -> datetime:
    """The last midnight in Asia/Shanghai, in UTC."""
    return now.astimezone(_ZONE).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
