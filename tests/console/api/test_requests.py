"""The owner's steps, passed on by a backend."""

from datetime import timedelta

import pytest

from domain.accounts import Channel
from domain.checks import Check
from domain.errors import ErrorType
from domain.locale import Locale
from domain.notices import CURRENT_NOTICE, CURRENT_VERSION
from domain.phases import Phase, Step
from simulator.edits import Value
from simulator.kinds import Endpoint, FaultKind
from tests.console.api.conftest import Api, client_of, refused
from tests.console.conftest import console_on
from tests.support.service import eventually
from tests.support.tickets import awaiting_confirmation, awaiting_notice, blocked, fault, own_queue

NOTICE = CURRENT_NOTICE[Locale.EN]


async def test_a_whole_cancellation_goes_from_the_start_to_its_certificate(api: Api) -> None:
    account = await api.service.account()
    started = await api.start(account)
    assert started.status_code == 201
    assert started.headers["Location"] == f"/api/v1/cancellations/{account}"
    view = started.json()
    assert (view["phase"], view["due_step"]) == (Phase.AWAITING_IDENTITY, Step.SEND_CODE)

    at = f"/cancellations/{account}"
    sent = await api.backend.post(f"{at}/code", json={"channel": Channel.PHONE})
    assert sent.json()["due_step"] == Step.SUBMIT_IDENTITY_PROOF
    shown = (await api.backend.get(f"{at}/challenge")).json()
    assert "*" in shown["masked_destination"]
    code = await api.service.store.latest_code(account)
    answered = await api.backend.post(f"{at}/code/answer", json={"code": code})
    assert answered.json()["phase"] == Phase.AWAITING_NOTICE

    notices = (await api.nobody.get("/notices")).json()["notices"]
    [current] = [notice for notice in notices if notice["current"] and notice["locale"] == "en"]
    text = (await api.nobody.get(f"/notices/{current['version']}/en")).json()
    assert text["text"] == NOTICE.text
    accepted = await api.backend.post(f"{at}/notice", json={"version": text["version"], "sha256": text["sha256"]})
    assert accepted.json()["phase"] in (Phase.CHECKING, Phase.AWAITING_CONFIRMATION)
    checked = (await api.backend.post(f"{at}/recheck")).json()
    assert checked["phase"] == Phase.AWAITING_CONFIRMATION
    digest = checked["report"]["digest"]
    confirmed = await api.backend.post(f"{at}/confirmation", json={"report_digest": digest})
    assert confirmed.status_code == 200

    closed = await eventually(lambda: api.backend.get(at), lambda answer: answer.json()["phase"] == Phase.CLOSED)
    request_no = closed.json()["request_no"]
    certificate = (await api.backend.get(f"/certificates/{request_no}")).json()
    assert (certificate["account_id"], certificate["notice_version"]) == (account, CURRENT_VERSION)
    assert (await api.auditor.get(f"/certificates/{request_no}")).json() == certificate


# Refusals


async def started(api: Api, **facts: Value) -> str:
    account = await api.service.account(**facts)
    assert (await api.start(account)).status_code == 201
    return account


async def test_a_wrong_code_tells_the_tries_left_until_the_code_is_locked(api: Api) -> None:
    account = await started(api)
    at = f"/cancellations/{account}"
    refused(await api.backend.get(f"{at}/challenge"), ErrorType.WRONG_PHASE)
    refused(await api.backend.post(f"{at}/code/answer", json={"code": "123456"}), ErrorType.WRONG_PHASE)
    await api.backend.post(f"{at}/code", json={"channel": "PHONE"})
    code = await api.service.store.latest_code(account)
    wrong = {"code": f"{(int(code) + 1) % 1_000_000:06}"}
    left = [
        refused(await api.backend.post(f"{at}/code/answer", json=wrong), ErrorType.CODE_WRONG)["tries_left"]
        for _ in range(4)
    ]
    assert left == [4, 3, 2, 1]
    assert (await api.backend.get(f"{at}/challenge")).json()["tries_left"] == 1
    refused(await api.backend.post(f"{at}/code/answer", json=wrong), ErrorType.CODE_LOCKED)
    refused(await api.backend.post(f"{at}/code/answer", json={"code": code}), ErrorType.CODE_LOCKED)


async def test_a_second_code_has_to_wait(api: Api) -> None:
    account = await started(api)
    await api.backend.post(f"/cancellations/{account}/code", json={"channel": "PHONE"})
    answer = await api.backend.post(f"/cancellations/{account}/code", json={"channel": "PHONE"})
    problem = refused(answer, ErrorType.RESEND_TOO_SOON)
    assert answer.headers["Retry-After"] == str(problem["retry_after_seconds"])


async def test_too_many_tries_are_refused_before_anybody_is_asked(api: Api) -> None:
    account = await started(api)
    for _ in range(10):
        await api.backend.post(f"/cancellations/{account}/code/answer", json={"code": "123456"})
    answer = await api.backend.post(f"/cancellations/{account}/code/answer", json={"code": "123456"})
    refused(answer, ErrorType.RATE_LIMITED)
    assert int(answer.headers["Retry-After"]) > 0


async def test_a_code_goes_to_a_verified_channel_only(api: Api) -> None:
    account = await started(api, channels="PHONE")
    refused(
        await api.backend.post(f"/cancellations/{account}/code", json={"channel": "EMAIL"}),
        ErrorType.CHANNEL_NOT_VERIFIED,
    )
    account = await started(api, channels="")
    await api.service.in_phase(account, Phase.AWAITING_IDENTITY)
    problem = refused(
        await api.backend.post(f"/cancellations/{account}/code", json={"channel": "EMAIL"}),
        ErrorType.NO_VERIFIED_CHANNEL,
    )
    assert problem["due_step"] == Step.FILE_TICKET


async def test_only_the_notice_in_force_can_be_accepted_and_only_the_latest_report_confirmed(api: Api) -> None:
    account = await awaiting_notice(api.service)
    body = {"version": "2019-01", "sha256": "0" * 64}
    problem = refused(await api.backend.post(f"/cancellations/{account}/notice", json=body), ErrorType.STALE_NOTICE)
    assert problem["version"] == CURRENT_VERSION
    account = await awaiting_confirmation(api.service)
    problem = refused(
        await api.backend.post(f"/cancellations/{account}/confirmation", json={"report_digest": "0" * 64}),
        ErrorType.STALE_REPORT,
    )
    body = {"report_digest": problem["report_digest"]}
    owner = {"On-Behalf-Of": f"owner-of-{account}"}
    confirmed = await api.backend.post(f"/cancellations/{account}/confirmation", json=body, headers=owner)
    assert confirmed.status_code == 200


async def test_a_request_can_be_withdrawn_and_then_is_over(api: Api) -> None:
    account = await started(api)
    withdrawn = await api.backend.post(f"/cancellations/{account}/withdrawal", json={"reason_code": "KEEP_SERVICES"})
    assert withdrawn.json()["withdrawal_reason"] == "KEEP_SERVICES"
    await api.service.request(account).result()
    refused(await api.backend.post(f"/cancellations/{account}/withdrawal", json={}), ErrorType.NOT_FOUND)
    assert (await api.backend.get(f"/cancellations/{account}")).json()["phase"] == Phase.WITHDRAWN


async def test_past_the_point_of_no_return_nothing_is_withdrawn(api: Api) -> None:
    account = await awaiting_confirmation(api.service)
    async with fault(api.service, Endpoint.PURGE_RESOURCES, FaultKind.ERROR):
        await api.service.confirm(account)
        await api.service.in_phase(account, Phase.DELETING)
        answer = await api.backend.post(f"/cancellations/{account}/withdrawal", json={})
        assert refused(answer, ErrorType.POINT_OF_NO_RETURN)["phase"] == Phase.DELETING
    await api.service.in_phase(account, Phase.CLOSED)


async def test_a_ticket_for_what_must_be_put_right_first_is_not_allowed(api: Api) -> None:
    account = await blocked(api.service, arrears_fen=100)
    report = (await api.service.cancellations.view(account)).report
    assert report is not None
    form = {
        "contact_email": "owner@example.com",
        "contact_phone": "+8613800138000",
        "report_digest": report.digest,
        "statement_accepted": "true",
        "notice_version": NOTICE.version,
        "notice_sha256": NOTICE.sha256,
    }
    files = [(name, (None, value)) for name, value in form.items()]
    problem = refused(
        await api.backend.post(f"/cancellations/{account}/tickets", files=files), ErrorType.TICKET_NOT_ALLOWED
    )
    assert problem["fix_first"] == [Check.ARREARS]


@pytest.mark.parametrize(
    "path", ["/cancellations/nobody", "/certificates/C-none", "/notices/1999-01/en", "/no-such-route"]
)
async def test_what_is_not_there_is_not_found(path: str, api: Api) -> None:
    refused(await api.backend.get(path), ErrorType.NOT_FOUND)


STEPS = {
    "code": {"channel": "PHONE"},
    "code/answer": {"code": "123456"},
    "notice": {"version": NOTICE.version, "sha256": NOTICE.sha256},
    "recheck": None,
    "confirmation": {"report_digest": "0" * 64},
    "withdrawal": {"reason_code": "CHANGED_MIND"},
}


@pytest.mark.parametrize("step", STEPS)
async def test_each_step_needs_a_request_and_the_backends_token(step: str, api: Api) -> None:
    path = f"/cancellations/nobody/{step}"
    refused(await api.backend.post(path, json=STEPS[step]), ErrorType.NOT_FOUND)
    answer = await api.nobody.post(path, json=STEPS[step])
    refused(answer, ErrorType.NOT_SIGNED_IN)
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    refused(await api.agent.post(path, json=STEPS[step]), ErrorType.NOT_ALLOWED)


@pytest.mark.parametrize("step", [step for step, body in STEPS.items() if body])
async def test_each_step_takes_its_own_fields_and_no_others(step: str, api: Api) -> None:
    account = await started(api)
    body = STEPS[step]
    assert body
    path = f"/cancellations/{account}/{step}"
    for wrong in ({**body, "phone": "13800138000"}, dict.fromkeys(body, 7), [body], None):
        answer = await api.backend.post(path, json=wrong)
        problem = refused(answer, ErrorType.BAD_INPUT)
        assert problem["errors"]
        assert "13800138000" not in answer.text


async def test_a_body_that_is_no_json_and_a_method_that_is_none_are_problems_too(api: Api) -> None:
    answer = await api.backend.post("/cancellations", content=b"{", headers={"Content-Type": "application/json"})
    refused(answer, ErrorType.BAD_INPUT)
    answer = await api.backend.delete("/cancellations/nobody")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_while_no_worker_runs_steps_are_unreachable_and_the_notice_is_not(api: Api) -> None:
    service = own_queue(api.service)
    account = await service.account()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("service.cancellations.ANSWER_LIMIT", timedelta(seconds=1))
        patch.setattr("service.base.LOOK_LIMIT", timedelta(seconds=1))
        async with console_on(service, api.console.settings) as console, client_of(console, api.headers()) as backend:
            body = {"account_id": account, "requested_by": "user-1"}
            refused(await backend.post("/cancellations", json=body), ErrorType.UNREACHABLE)
            refused(await backend.get(f"/cancellations/{account}"), ErrorType.UNREACHABLE)
            refused(
                await backend.post(f"/cancellations/{account}/code", json={"channel": "PHONE"}), ErrorType.UNREACHABLE
            )
            assert (await backend.get("/notices")).status_code == 200
    await service.request(account).terminate()


async def test_while_the_platform_is_down_a_code_can_neither_be_sent_nor_answered(api: Api) -> None:
    account = await started(api)
    await api.backend.post(f"/cancellations/{account}/code", json={"channel": "PHONE"})
    async with fault(api.service, Endpoint.ANSWER_CHALLENGE, FaultKind.ERROR):
        answer = await api.backend.post(f"/cancellations/{account}/code/answer", json={"code": "123456"})
        refused(answer, ErrorType.SERVICE_UNAVAILABLE)


async def test_a_code_stands_in_no_log_and_no_answer(
    api: Api, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    account = await started(api)
    at = f"/cancellations/{account}"
    await api.backend.post(f"{at}/code", json={"channel": "PHONE"})
    code = await api.service.store.latest_code(account)
    answers = [
        await api.backend.post(f"{at}/code/answer", json={"code": f"{code}x"}),
        await api.backend.post(f"{at}/code/answer", json={"code": int(code)}),
        await api.backend.post(f"{at}/code/answer", json={"kode": code}),
        await api.backend.post(f"{at}/code/answer", json={"code": code}),
    ]
    assert [answer.status_code for answer in answers] == [422, 422, 422, 200]
    told = "".join(answer.text for answer in answers) + "".join(capsys.readouterr()) + caplog.text
    assert account in told
    assert code not in told
