"""How many codes an account may ask for and get wrong, over and above the tries of each code."""

import math
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from domain.accounts import Channel
from domain.errors import ErrorType
from sandbox.database import AnyRow
from sandbox.problems import PlatformProblem
from sandbox.settings import Settings
from sandbox.tables import ChallengeRow

_ZONE = ZoneInfo("Asia/Shanghai")


def refuse_too_many_codes(tx: Connection, settings: Settings, account_id: str, channel: Channel, now: datetime) -> None:
    midnight = start_of_day(now)
    challenges = _challenges_since(tx, account_id, midnight - timedelta(days=1))
    today = [challenge for challenge in challenges if challenge.created_at >= midnight]
    if len(today) >= settings.codes_per_day or _wrong_answers(today) >= settings.wrong_answers_per_day:
        raise PlatformProblem(
            ErrorType.DAILY_CODE_LIMIT,
            "This account has used up its codes, or its wrong answers, for today. Try again tomorrow.",
            retry_after_seconds=seconds_until(midnight + timedelta(days=1), now),
        )
    wait = max((seconds_until(c.resend_after, now) for c in challenges if c.channel is channel), default=0)
    if wait:
        raise PlatformProblem(
            ErrorType.RESEND_TOO_SOON,
            f"A code has just gone to this channel. Ask again in {wait} seconds.",
            retry_after_seconds=wait,
        )


def refuse_too_many_answers(tx: Connection, settings: Settings, account_id: str, now: datetime) -> None:
    """New codes bring new tries; this is what keeps them from being unlimited."""
    midnight = start_of_day(now)
    if _wrong_answers(_challenges_since(tx, account_id, midnight)) >= settings.wrong_answers_per_day:
        raise PlatformProblem(
            ErrorType.CODE_LOCKED,
            "Too many wrong answers today. Ask for a new code tomorrow.",
            tries_left=0,
            retry_after_seconds=seconds_until(midnight + timedelta(days=1), now),
        )


def start_of_day(now: datetime) -> datetime:
    """The last midnight in Asia/Shanghai, in UTC."""
    return now.astimezone(_ZONE).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def seconds_until(moment: datetime, now: datetime) -> int:
    """Whole seconds, rounded up so that waiting for them is enough; 0 when it has passed."""
    return max(0, math.ceil((moment - now).total_seconds()))


def _wrong_answers(challenges: list[AnyRow]) -> int:
    return sum(challenge.wrong_answers for challenge in challenges)


def _challenges_since(tx: Connection, account_id: str, moment: datetime) -> list[AnyRow]:
    columns = (ChallengeRow.channel, ChallengeRow.created_at, ChallengeRow.resend_after, ChallengeRow.wrong_answers)
    mine = (ChallengeRow.account_id == account_id, ChallengeRow.created_at >= moment)
    return list(tx.execute(select(*columns).where(*mine)).all())
