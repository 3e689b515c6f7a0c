"""The limits of the process: defaults, bounds, the order of days, and the journey through a request's input."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import annotated_types
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from domain.business_calendar import CALENDAR
from domain.messages import CancellationInput, UnreadableInput
from domain.policy import Policy
from gateways.contract import HoldRequest
from service.base import ANSWER_LIMIT


def bounds_of(field: str) -> tuple[Any, Any]:
    """The least and the greatest value that a field takes, as they are written down beside it."""
    metadata = Policy.model_fields[field].metadata
    [least] = [bound.ge for bound in metadata if isinstance(bound, annotated_types.Ge)]
    [greatest] = [bound.le for bound in metadata if isinstance(bound, annotated_types.Le)]
    return least, greatest


FIELDS = list(Policy.model_fields)
DURATIONS = [name for name, field in Policy.model_fields.items() if field.annotation is timedelta]
DAYS = ("review_remind_days_before", "review_due_days", "review_ceiling_days")
IDLE = ("idle_reminder_before", "owner_idle_limit")
SMALLEST = {name: bounds_of(name)[0] for name in FIELDS} | {
    "owner_idle_limit": max(bounds_of("owner_idle_limit")[0], bounds_of("idle_reminder_before")[0] * 2),
    "review_due_days": 2,
    "review_ceiling_days": 3,
}
GREATEST = {name: bounds_of(name)[1] for name in FIELDS}


def within(name: str) -> st.SearchStrategy[Any]:
    least, greatest = bounds_of(name)
    return st.timedeltas(least, greatest) if name in DURATIONS else st.integers(least, greatest)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    values = {name: draw(within(name)) for name in FIELDS}
    low, high = sorted((values[IDLE[0]], values[IDLE[1]]))
    days = draw(st.lists(st.integers(1, 59), min_size=3, max_size=3, unique=True).map(sorted))
    reminder = min(low, high - timedelta(microseconds=1))
    return Policy.model_validate(
        values | dict(zip(DAYS, days, strict=True)) | dict(zip(IDLE, (reminder, high), strict=True))
    )


def with_days(remind: int, due: int, ceiling: int) -> Policy:
    return Policy(review_remind_days_before=remind, review_due_days=due, review_ceiling_days=ceiling)


def test_the_defaults_are_those_of_the_process() -> None:
    assert Policy().model_dump() == {
        "owner_idle_limit": timedelta(days=30),
        "idle_reminder_before": timedelta(days=7),
        "request_max_age": timedelta(days=90),
        "identity_lifetime": timedelta(days=1),
        "check_attempt_limit": timedelta(seconds=5),
        "check_limit": timedelta(seconds=20),
        "outcomes_reused_for": timedelta(seconds=2),
        "rechecks_per_hour": 60,
        "hold_ttl": timedelta(minutes=15),
        "seal_attempts": 3,
        "stuck_after": timedelta(hours=1),
        "approval_lifetime": timedelta(days=7),
        "review_due_days": 3,
        "review_remind_days_before": 1,
        "review_ceiling_days": 15,
        "alarms_spread_over": timedelta(minutes=3),
        "notification_limit": timedelta(minutes=10),
        "final_notice_limit": timedelta(hours=24),
    }


# --- bounds ---


@pytest.mark.parametrize("name", FIELDS)
def test_every_limit_has_a_least_and_a_greatest_value_around_its_default(name: str) -> None:
    least, greatest = bounds_of(name)
    assert least <= Policy.model_fields[name].default <= greatest
    assert least < greatest


@pytest.mark.parametrize("name", FIELDS)
def test_what_is_just_outside_the_bounds_is_refused_by_name(name: str) -> None:
    least, greatest = bounds_of(name)
    step = timedelta(microseconds=1) if name in DURATIONS else 1
    for outside in (least - step, greatest + step):
        with pytest.raises(ValidationError, match=name):
            Policy.model_validate({name: outside})


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("value", ["P999999999D", "-P1D", "-1", "1e400", "NaN", "Infinity", "", None, [], {}, 10**30])
def test_what_is_no_sensible_amount_is_refused(name: str, value: object) -> None:
    with pytest.raises(ValidationError, match=name):
        Policy.model_validate_json(json.dumps({name: value}))


@pytest.mark.parametrize("values", [SMALLEST, GREATEST], ids=["smallest", "greatest"])
def test_the_extremes_go_together(values: dict[str, Any]) -> None:
    policy = Policy.model_validate(values)
    assert Policy.model_validate_json(policy.model_dump_json()) == policy


@given(policies())
def test_whatever_is_within_the_bounds_works_where_it_is_used(policy: Policy) -> None:
    ttl = int(policy.hold_ttl.total_seconds())
    assert HoldRequest(request_id="C-1.hold.1", ttl_seconds=ttl).ttl_seconds == ttl
    for name in DURATIONS:
        limit: timedelta = getattr(policy, name)
        for now in (datetime(2026, 11, 22, tzinfo=UTC), datetime(2099, 12, 31, tzinfo=UTC)):
            assert now <= now + limit < now.replace(year=now.year + 4)
            assert now - limit <= now
    deadlines = CALENDAR.deadlines(
        datetime(2026, 11, 22, tzinfo=UTC),
        due_days=policy.review_due_days,
        remind_days_before=policy.review_remind_days_before,
        ceiling_days=policy.review_ceiling_days,
    )
    assert deadlines.remind_at < deadlines.due_at < deadlines.ceiling_at


@given(policies())
def test_an_owner_who_waits_for_a_check_is_answered_before_the_desk_gives_up(policy: Policy) -> None:
    assert policy.check_limit < ANSWER_LIMIT


def test_the_reminder_of_an_idle_owner_comes_before_the_request_lapses() -> None:
    day = timedelta(days=1)
    for reminder in (day, 2 * day):
        with pytest.raises(ValidationError, match="idle reminder"):
            Policy(owner_idle_limit=day, idle_reminder_before=reminder)
    just_before = day - timedelta(microseconds=1)
    assert Policy(owner_idle_limit=day, idle_reminder_before=just_before).idle_reminder_before == just_before


def test_the_default_limits_fit_into_each_other() -> None:
    policy = Policy()
    assert policy.check_attempt_limit < policy.check_limit < policy.hold_ttl
    assert policy.idle_reminder_before < policy.owner_idle_limit


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


@given(policies())
def test_a_policy_travels_whole_in_the_input_of_a_request(policy: Policy) -> None:
    request = CancellationInput(request_no="C-1", account_id="a-1", requested_by="u-1", policy=policy)
    assert CancellationInput.model_validate_json(request.model_dump_json()).policy == policy


def test_a_request_that_names_no_policy_has_the_default_one() -> None:
    request = CancellationInput.model_validate_json('{"request_no": "C-1", "account_id": "a-1", "requested_by": "u-1"}')
    assert request.policy == Policy()


# --- what a newer version, or somebody with a keyboard, may send ---

INPUT = TypeAdapter[CancellationInput | UnreadableInput](CancellationInput | UnreadableInput)
unreadable = UnreadableInput.model_validate
GOOD = {"request_no": "C-1", "account_id": "a-1", "requested_by": "u-1"}
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=12
)
new_fields = st.dictionaries(st.from_regex("new_[a-z]{1,10}", fullmatch=True), anything, max_size=3)


@given(new_fields, new_fields)
def test_a_field_that_only_a_newer_version_knows_is_passed_over(in_input: Any, in_policy: Any) -> None:
    sent = GOOD | in_input | {"policy": in_policy | {"seal_attempts": 5}}
    request = INPUT.validate_json(json.dumps(sent))
    assert request == CancellationInput.model_validate(GOOD | {"policy": Policy(seal_attempts=5)})


@given(anything)
def test_garbage_is_an_unreadable_input_and_never_an_error(garbage: object) -> None:
    read = INPUT.validate_json(json.dumps(garbage))
    assert isinstance(read, UnreadableInput)
    assert read.given == garbage


@given(st.sampled_from([*GOOD, "policy", "locale", "requested_via"]), anything)
def test_one_bad_field_makes_the_whole_input_unreadable_and_is_kept_as_it_came(name: str, value: object) -> None:
    sent = GOOD | {name: value}
    read = INPUT.validate_json(json.dumps(sent))
    try:
        expected: CancellationInput | UnreadableInput = CancellationInput.model_validate_json(json.dumps(sent))
    except ValidationError:
        expected = unreadable(sent)
    assert read == expected
    assert type(read) is type(expected)


@given(st.sampled_from(list(GOOD)))
def test_an_input_that_lacks_a_field_is_unreadable(name: str) -> None:
    sent = {key: value for key, value in GOOD.items() if key != name}
    assert INPUT.validate_python(sent) == unreadable(sent)


@pytest.mark.parametrize(("name", "value"), [("hold_ttl", "P2D"), ("seal_attempts", 0), ("review_due_days", 10**9)])
def test_an_input_with_a_limit_out_of_bounds_is_unreadable(name: str, value: object) -> None:
    sent = GOOD | {"policy": {name: value}}
    assert INPUT.validate_json(json.dumps(sent)) == unreadable(sent)
