"""What Temporal carries is read as our models, or refused without a word of what it said."""

import json
import traceback
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload

from domain.accounts import Channel, RealNameType
from domain.actors import Actor, Via
from domain.deletion import DeletionInput
from domain.locale import Locale
from domain.messages import CancellationInput, ReviewInput, SendCode, UnreadableInput
from domain.model import Model, VaultRef
from domain.policy import Policy
from domain.tickets import Decision, ReviewCase, TicketRef
from runtime.payloads import DATA_CONVERTER, UnreadablePayload
from tests.activities.papers import deletion, report

PLANTED = "planted-13700001111"
BY = {"subject": "owner-1", "via": "CONSOLE"}
CONVERTER = DATA_CONVERTER.payload_converter


def as_json(value: object) -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(value).encode())


def test_what_our_own_programs_write_is_read_again() -> None:
    decision = Decision(
        decision_id="D-1",
        ticket_no="T-1",
        operator_id="agent-7",
        decided_at=datetime.now(UTC),
        revision_sha256="a" * 64,
        report_digest="b" * 64,
    )
    step = SendCode(channel=Channel.PHONE, by=Actor(subject="owner-1", via=Via.CONSOLE))
    written = CONVERTER.to_payloads([decision, step, None])
    assert CONVERTER.from_payloads(written, [Decision, SendCode, type(None)]) == [decision, step, None]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just(PLANTED),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(ANYTHING)
def test_a_workflow_reads_whatever_it_was_started_with(garbage: object) -> None:
    """Else its task would fail for ever, under an id that the account needs."""
    [read] = CONVERTER.from_payloads([as_json(garbage)], [CancellationInput | UnreadableInput])  # type: ignore[list-item]
    assert isinstance(read, UnreadableInput)
    assert read.given == garbage


CASE = ReviewCase(
    request_no="C-1",
    account_id="a-1",
    ticket=TicketRef(ticket_no="T-1", revision=1, sha256="a" * 64),
    real_name_type=RealNameType.INDIVIDUAL,
    report=report(),
    identity_verified=True,
    applicants=("a-1",),
)
STARTS = [
    (
        CancellationInput(request_no="C-1", account_id="a-1", requested_by="owner-1"),
        CancellationInput | UnreadableInput,
    ),
    (deletion(VaultRef(path="dossiers/a-1/1.json", sha256="a" * 64)), DeletionInput | UnreadableInput),
    (ReviewInput(case=CASE, locale=Locale.ZH, policy=Policy()), ReviewInput | UnreadableInput),
]


@pytest.mark.parametrize(("start", "hint"), STARTS, ids=lambda value: type(value).__name__)
def test_a_workflow_reads_its_input_as_what_it_is(start: Model, hint: Any) -> None:
    assert CONVERTER.from_payloads(CONVERTER.to_payloads([start]), [hint]) == [start]
    for name in type(start).model_fields:
        spoilt = json.loads(start.model_dump_json()) | {name: [PLANTED]}
        [read] = CONVERTER.from_payloads([as_json(spoilt)], [hint])
        assert isinstance(read, UnreadableInput)
        assert read.given == spoilt


UNREADABLE = {
    "another value": (as_json({"channel": PLANTED, "by": BY}), "SendCode: enum at channel"),
    "an unknown field": (as_json({"channel": "PHONE", "by": BY, PLANTED: 1}), "SendCode: extra_forbidden"),
    "another object": (
        as_json({PLANTED: {PLANTED: PLANTED}}),
        "SendCode: missing at channel; missing at by; extra_forbidden",
    ),
    "an empty object": (as_json({}), "SendCode: missing at channel; missing at by"),
    "a text": (as_json(PLANTED), "SendCode: model_type"),
    "no JSON": (Payload(metadata={"encoding": b"json/plain"}, data=PLANTED.encode()), "SendCode: json_invalid"),
    "another encoding": (Payload(metadata={"encoding": PLANTED.encode()}, data=b"{}"), "KeyError"),
    "bytes for an encoding": (Payload(metadata={"encoding": b"\xff" + PLANTED.encode()}), "UnicodeDecodeError"),
    "no encoding": (Payload(data=PLANTED.encode()), "KeyError"),
}


@pytest.mark.parametrize(("payload", "said"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_is_described_by_its_kind_alone(payload: Payload, said: str) -> None:
    with pytest.raises(UnreadablePayload) as caught:
        CONVERTER.from_payloads([payload], [SendCode])
    assert str(caught.value) == said
    assert PLANTED not in "".join(traceback.format_exception(caught.value))
    assert (caught.value.__cause__, caught.value.__context__) == (None, None), "would be told with it"
