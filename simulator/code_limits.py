"""How many codes an account may ask for and get wrong, over and above the tries of each code."""

import math
import sqlite3
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from domain.accounts import Channel
from domain.errors import ErrorType
from simulator.problems import PlatformProblem
from simulator.state import Simulator

_ZONE = ZoneInfo("Asia/Shanghai")


def refuse_too_many_codes(platform: Simulator, account_id: str, channel: Channel, now: datetime) -> None:
    """Raises `PlatformProblem`: the day's codes or wrong answers are used up, or the last code is too fresh."""
    midnight, limits = start_of_day(now), platform.settings
    challenges = _challenges_since(platform, account_id, midnight - timedelta(days=1))
    today = [challenge for challenge in challenges if challenge["created_at"] >= midnight]
    if len(today) >= limits.codes_per_day or _wrong_answers(today) >= limits.wrong_answers_per_day:
        raise PlatformProblem(
            ErrorType.DAILY_CODE_LIMIT,
            "This account has used up its codes, or its wrong answers, for today. Try again tomorrow.",
            retry_after_seconds=seconds_until(midnight + timedelta(days=1), now),
        )
    wait = max((seconds_until(c["resend_after"], now) for c in challenges if c["channel"] == channel), default=0)
    if wait:
        raise PlatformProblem(
            ErrorType.RESEND_TOO_SOON,
            f"A code has just gone to this channel. Ask again in {wait} seconds.",
            retry_after_seconds=wait,
        )


def refuse_too_many_answers(platform: Simulator, account_id: str, now: datetime) -> None:
    """New codes bring new tries; this is what keeps them from being unlimited."""
    midnight = start_of_day(now)
    today = _challenges_since(platform, account_id, midnight)
    if _wrong_answers(today) >= platform.settings.wrong_answers_per_day:
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


def _wrong_answers(challenges: list[sqlite3.Row]) -> int:
    return sum(challenge["wrong_answers"] for challenge in challenges)


def _challenges_since(platform: Simulator, account_id: str, moment: datetime) -> list[sqlite3.Row]:
    return platform.db.rows("SELECT * FROM challenges WHERE account_id = ? AND created_at >= ?", account_id, moment)
