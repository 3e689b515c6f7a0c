"""A gateway's trouble becomes a Temporal failure with a stable type; retries and their delay follow from it."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from activities.failures import GatewayFailures, permanent_key, run_key
from domain.accounts import Channel
from domain.errors import ErrorType
from gateways.contract import ChallengeRequest
from gateways.errors import GatewayError


class Raises(ActivityInboundInterceptor):
    def __init__(self, error: Exception) -> None:
        self.error = error

    async def execute_activity(self, input: ExecuteActivityInput) -> object:
        raise self.error


async def failure_of(error: Exception, attempt: int = 1) -> Exception:
    intercepted = GatewayFailures().intercept_activity(Raises(error))

    async def execute() -> None:
        await intercepted.execute_activity(None)  # type: ignore[arg-type]

    environment = ActivityEnvironment()
    environment.info = replace(environment.info, attempt=attempt)
    with pytest.raises(type(error) if not isinstance(error, GatewayError) else ApplicationError) as caught:
        await environment.run(execute)
    return caught.value


async def test_a_passing_trouble_is_retried_when_the_other_side_said() -> None:
    failure = await failure_of(
        GatewayError(ErrorType.RATE_LIMITED, "busy", retryable=True, retry_after=timedelta(seconds=7))
    )
    assert isinstance(failure, ApplicationError)
    assert (failure.type, failure.non_retryable) == (ErrorType.RATE_LIMITED, False)
    assert failure.next_retry_delay == timedelta(seconds=7)


async def test_a_final_refusal_is_not_retried_and_keeps_its_details() -> None:
    failure = await failure_of(GatewayError(ErrorType.CODE_WRONG, "wrong", retryable=False, tries_left=2))
    assert isinstance(failure, ApplicationError)
    assert (failure.type, failure.non_retryable) == (ErrorType.CODE_WRONG, True)
    assert failure.details == ({"tries_left": 2, "attempt": 1},)


@pytest.mark.parametrize("attempt", [1, 2, 777])
async def test_a_failure_says_which_attempt_it_was_whatever_else_it_says(attempt: int) -> None:
    errors = (
        GatewayError(ErrorType.UNREACHABLE, "no answer", retryable=True),
        GatewayError(ErrorType.RATE_LIMITED, "busy", retryable=True, retry_after=timedelta(seconds=7)),
        GatewayError(ErrorType.VAULT_RECORD_CHANGED, "changed", retryable=False, attempt="of the other side"),
    )
    for error in errors:
        failure = await failure_of(error, attempt)
        assert isinstance(failure, ApplicationError)
        [details] = failure.details
        assert details == {**error.details, "attempt": attempt}


async def test_the_text_of_an_inner_error_does_not_travel_along() -> None:
    try:
        raise GatewayError(ErrorType.UNREACHABLE, "no answer", retryable=True) from ValueError("secret 13800000000")
    except GatewayError as error:
        failure = await failure_of(error)
    assert failure.__cause__ is None
    assert "13800000000" not in repr(failure)


async def test_a_bug_stays_what_it_is_and_is_retried_by_policy() -> None:
    assert isinstance(await failure_of(KeyError("bug")), KeyError)


async def test_the_permanent_key_is_the_same_in_every_run_and_attempt_and_the_run_key_is_not() -> None:
    keys = {}
    for run in ("run-a", "run-b"):
        for attempt in (1, 2):
            environment = ActivityEnvironment()
            environment.info = replace(environment.info, workflow_run_id=run, attempt=attempt, activity_id="purge")
            keys[run, attempt] = await environment.run(_keys)
    assert len({permanent for permanent, _ in keys.values()}) == 1
    assert len({of_run for _, of_run in keys.values()}) == 2


@pytest.mark.parametrize("activity_id", ["1", "purge-resources", "x" * 64, "of.a.test"])
async def test_the_run_key_is_an_id_that_the_platform_takes(activity_id: str) -> None:
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, workflow_run_id=str(uuid4()), activity_id=activity_id)
    _, key = await environment.run(_keys)
    assert ChallengeRequest(channel=Channel.PHONE, request_id=key).request_id == key


async def _keys() -> tuple[str, str]:
    return permanent_key(), run_key()
