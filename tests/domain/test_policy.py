"""The limits of the process: their defaults, the order of days, and the journey through a request's input."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.messages import CancellationInput
from domain.policy import Policy

# On a busy machine a test is slow, not wrong.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

durations = st.timedeltas(timedelta(microseconds=1), timedelta(days=3650))
ordered_days = st.lists(st.integers(1, 60), min_size=3, max_size=3, unique=True).map(sorted)


def with_days(remind: int, due: int, ceiling: int) -> Policy:
    return Policy(review_remind_days_before=remind, review_due_days=due, review_ceiling_days=ceiling)


def test_the_defaults_are_those_of_the_process() -> None:
    assert Policy().model_dump() == {
        "owner_idle_limit": timedelta(days=30),
        "idle_reminder_before": timedelta(days=7),
        "check_attempt_limit": timedelta(seconds=5),
        "check_limit": timedelta(seconds=20),
        "hold_ttl": timedelta(minutes=15),
        "seal_attempts": 3,
        "review_due_days": 3,
        "review_remind_days_before": 1,
        "review_ceiling_days": 15,
        "review_afterlife": timedelta(days=1),
        "notification_limit": timedelta(minutes=10),
        "final_notice_limit": timedelta(hours=24),
    }


def test_the_default_limits_fit_into_each_other() -> None:
    policy = Policy()
    assert policy.check_attempt_limit < policy.check_limit < policy.hold_ttl
    assert policy.idle_reminder_before < policy.owner_idle_limit


@unhurried
@given(st.integers(-2, 20), st.integers(-2, 20), st.integers(-2, 20))
def test_review_days_are_accepted_exactly_when_they_are_in_order(remind: int, due: int, ceiling: int) -> None:
    if 1 <= remind < due < ceiling:
        policy = with_days(remind, due, ceiling)
        assert (policy.review_remind_days_before, policy.review_due_days, policy.review_ceiling_days) == (
            remind,
            due,
            ceiling,
        )
    else:
        with pytest.raises(ValidationError):
            with_days(remind, due, ceiling)


@pytest.mark.parametrize(("remind", "due", "ceiling"), [(3, 3, 15), (4, 3, 15), (1, 15, 15), (1, 16, 15)])
def test_review_days_out_of_order_are_refused_with_the_order_that_is_right(remind: int, due: int, ceiling: int) -> None:
    with pytest.raises(ValidationError, match="remind before due, due before the ceiling"):
        with_days(remind, due, ceiling)


@pytest.mark.parametrize("attempts", [0, -1])
def test_at_least_one_attempt_is_made_to_seal(attempts: int) -> None:
    with pytest.raises(ValidationError, match="seal_attempts"):
        Policy(seal_attempts=attempts)


def test_a_limit_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValidationError, match="owner_idle_days"):
        Policy.model_validate({"owner_idle_days": 30})


@unhurried
@given(st.fixed_dictionaries({name: durations for name in Policy.model_fields if name.endswith(("_limit", "_ttl"))}))
def test_durations_come_back_from_json_to_the_microsecond(limits: dict[str, timedelta]) -> None:
    # The reminder comes before the lapse, whatever the rest is.
    limits["owner_idle_limit"] += Policy().idle_reminder_before
    policy = Policy.model_validate(limits)
    assert Policy.model_validate_json(policy.model_dump_json()) == policy
    assert {name: getattr(policy, name) for name in limits} == limits


@unhurried
@given(durations, durations, ordered_days)
def test_a_policy_travels_whole_in_the_input_of_a_request(
    reminder: timedelta, afterlife: timedelta, days: list[int]
) -> None:
    changes = {
        "idle_reminder_before": reminder,
        "owner_idle_limit": reminder * 2,
        "review_afterlife": afterlife,
    }
    policy = with_days(*days).model_copy(update=changes)
    request = CancellationInput(request_no="C-1", account_id="a-1", requested_by="u-1", policy=policy)
    assert CancellationInput.model_validate_json(request.model_dump_json()).policy == policy


def test_a_request_that_names_no_policy_has_the_default_one() -> None:
    request = CancellationInput.model_validate_json('{"request_no": "C-1", "account_id": "a-1", "requested_by": "u-1"}')
    assert request.policy == Policy()
