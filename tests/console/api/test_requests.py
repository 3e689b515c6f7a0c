"""The owner's steps, passed on by a backend."""

from domain.accounts import Channel
from domain.locale import Locale
from domain.notices import CURRENT_NOTICE, CURRENT_VERSION
from domain.phases import Phase, Step
from tests.console.api.conftest import Api
from tests.service import eventually

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
