"""What Temporal carries is read as our models, or refused without a word of what it said."""

import json
import traceback
from datetime import UTC, datetime

import pytest
from temporalio.api.common.v1 import Payload

from domain.accounts import Channel
from domain.messages import SendCode
from domain.tickets import Decision
from runtime.payloads import DATA_CONVERTER, UnreadablePayload

PLANTED = "planted-13700001111"
CONVERTER = DATA_CONVERTER.payload_converter


def as_json(value: object) -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(value).encode())


def test_what_our_own_programs_write_is_read_again() -> None:
    decision = Decision(decision_id="D-1", ticket_no="T-1", operator_id="agent-7", decided_at=datetime.now(UTC))
    written = CONVERTER.to_payloads([decision, SendCode(channel=Channel.PHONE), None])
    assert CONVERTER.from_payloads(written, [Decision, SendCode, type(None)]) == [
        decision,
        SendCode(channel=Channel.PHONE),
        None,
    ]


UNREADABLE = {
    "another value": (as_json({"channel": PLANTED}), "SendCode: enum at channel"),
    "an unknown field": (as_json({"channel": "PHONE", PLANTED: 1}), "SendCode: extra_forbidden"),
    "another object": (as_json({PLANTED: {PLANTED: PLANTED}}), "SendCode: missing at channel; extra_forbidden"),
    "an empty object": (as_json({}), "SendCode: missing at channel"),
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
