"""The owner's route by the command line, and what each step shows."""

import re

from domain.accounts import Channel
from domain.ids import cancellation_workflow_id, deletion_workflow_id
from domain.locale import Locale
from domain.notices import CURRENT_NOTICE
from domain.phases import Phase
from tests.cli.conftest import CommandLine

NOTICE = CURRENT_NOTICE[Locale.EN]


async def test_a_clean_account_goes_from_start_to_certificate_in_json(cli: CommandLine) -> None:
    account = await cli.account()
    started = await cli.json("start", account, "--requested-by", "person-1", "--locale", "en")
    assert (started["phase"], started["due_step"]) == ("AWAITING_IDENTITY", "send_code")

    sent = await cli.json("send-code", account, "--channel", "email")
    assert sent["channel"] == Channel.EMAIL
    assert "*" in sent["masked_destination"]
    assert sent["request_no"] == started["request_no"]
    assert sent["resend_after"] < sent["expires_at"]

    code = await cli.stack.store.latest_code(account)
    assert (await cli.json("verify", account, "-", stdin=f"{code}\n"))["phase"] == "AWAITING_NOTICE"

    shown = await cli.json("accept-notice", account, "--show")
    assert (shown["version"], shown["sha256"], shown["text"]) == (NOTICE.version, NOTICE.sha256, NOTICE.text)
    accepted = await cli.json("accept-notice", account, "--version", shown["version"], "--sha256", shown["sha256"])
    assert accepted["phase"] == "AWAITING_CONFIRMATION"

    again = await cli.json("recheck", account)
    # Who asks again within two seconds has the answer already.
    assert again["report"]["number"] >= accepted["report"]["number"]
    confirmed = await cli.json("confirm", account, "--report", again["report"]["digest"])
    assert confirmed["phase"] in ("DELETING", "CLOSED")

    await cli.in_phase(account, Phase.CLOSED)
    by_number = await cli.json("certificate", started["request_no"])
    assert (by_number["account_id"], by_number["request_no"]) == (account, started["request_no"])
    assert await cli.json("certificate", account) == by_number
    assert (await cli.json("deletion", "show", account))["status"] == "FINISHED"

    request = await _history(cli, cancellation_workflow_id(account))
    assert sent["challenge_id"].encode() in request
    # Not next to a digit or point: hashes and fractions of seconds may hold the same digits.
    typed = re.compile(rf"(?<![0-9a-f.]){code}(?![0-9a-f])".encode())
    assert typed.search(code.encode())
    assert not typed.search(request)
    assert not typed.search(await _history(cli, deletion_workflow_id(account)))


async def _history(cli: CommandLine, workflow_id: str) -> bytes:
    """Every event as it is stored, payloads in clear."""
    history = await cli.stack.client.get_workflow_handle(workflow_id).fetch_history()
    return b"".join(event.SerializeToString() for event in history.events)


async def test_people_see_each_step_and_what_to_type_next(cli: CommandLine) -> None:
    account = await cli.account(channels="PHONE")
    started = await cli("start", account, "--locale", "en")
    assert started.code == 0
    assert "awaiting identity" in started.out
    assert f"python starter.py send-code {account}" in started.out

    sent = await cli("send-code", account)
    assert "phone 138" in sent.out
    assert f"python starter.py verify {account} CODE" in sent.out

    verified = await cli("verify", account, await cli.stack.store.latest_code(account))
    assert f"python starter.py accept-notice {account} --show" in verified.out
    notice = await cli("accept-notice", account, "--show")
    assert NOTICE.text in notice.out
    assert NOTICE.sha256 in notice.out

    accepted = await cli("accept-notice", account, "--yes")
    assert "billable resources" in accepted.out
    assert f"python starter.py confirm {account}" in accepted.out
    assert "awaiting confirmation" in (await cli("recheck", account)).out

    confirmed = await cli("confirm", account, "--i-understand", account)
    assert confirmed.code == 0
    await cli.in_phase(account, Phase.CLOSED)
    closed = await cli("status", account)
    assert "closed" in closed.out
    assert "erase personal data" in closed.out
    certificate = await cli("certificate", account)
    assert "Certificate of closure" in certificate.out
    assert "Deletion of" in (await cli("deletion", "show", account)).out


async def test_everything_is_said_in_chinese_when_asked(cli: CommandLine) -> None:
    account = await cli.account()
    assert "待身份验证" in (await cli("start", account, "--lang", "zh")).out
    assert "验证码已发送至" in (await cli("send-code", account, "--lang", "zh")).out
    refused = await cli("recheck", account, "--lang", "zh")
    assert refused.code == 3
    assert "当前阶段不能执行此步骤" in refused.err
    assert "已撤回" in (await cli("withdraw", account, "--lang", "zh")).out
    cli.monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert "已撤回" in (await cli("status", account)).out


async def test_nothing_is_cut_off_on_a_narrow_screen(cli: CommandLine) -> None:
    account = await cli.reported(**{"provider.CLOUD_MARKET": 1, "available_fen": 1, "arrears_fen": 1})
    cli.monkeypatch.setenv("COLUMNS", "60")
    for language in ("zh", "en"):
        shown = await cli("status", account, "--lang", language)
        assert "…" not in shown.out
        assert f"python starter.py recheck {account}\n" in shown.out
    await cli.stack.store.set_facts(account, arrears_fen=0, **{"provider.CLOUD_MARKET": 0})
    assert f"ticket file {account} --email EMAIL --phone PHONE --accept-notice\n" in (await cli("recheck", account)).out


async def test_starting_again_finds_the_running_request(cli: CommandLine) -> None:
    account = await cli.account()
    first, second = [await cli.json("start", account) for _ in range(2)]
    assert first["request_no"] == second["request_no"]


async def test_a_blocked_owner_sees_every_reason_and_where_a_ticket_helps(cli: CommandLine) -> None:
    account = await cli.reported(available_fen=12_850, arrears_fen=4_599)
    blocked = await cli("status", account)
    assert "¥128.50" in blocked.out
    assert "¥45.99" in blocked.out
    assert "pay first, then withdraw" in blocked.out
    assert "ticket file" not in blocked.out
    await cli.stack.store.set_facts(account, arrears_fen=0)
    assert f"ticket file {account}" in (await cli("recheck", account)).out


async def test_nothing_is_accepted_or_confirmed_without_saying_so(cli: CommandLine) -> None:
    account = await cli.account()
    await cli.json("start", account, "--locale", "en")
    await cli.json("send-code", account)
    await cli.json("verify", account, await cli.stack.store.latest_code(account))
    unsaid = await cli.error("accept-notice", account, code=2)
    assert (unsaid["version"], unsaid["sha256"]) == (NOTICE.version, NOTICE.sha256)
    assert (await cli.json("status", account))["phase"] == "AWAITING_NOTICE"

    report = (await cli.json("accept-notice", account, "--yes"))["report"]
    unsaid = await cli.error("confirm", account, code=2)
    assert unsaid["report_digest"] == report["digest"]
    assert unsaid["forfeits"] == report["entitlements"]
    people = await cli("confirm", account)
    assert people.code == 2
    assert "cannot be restored" in people.err
    assert "voucher" in people.err
    assert f"python starter.py confirm {account} --report {report['digest']}\n" in people.err
    await cli.error("confirm", account, "--i-understand", "another-account", code=2)
    assert (await cli.json("status", account))["phase"] == "AWAITING_CONFIRMATION"


async def test_withdrawing_ends_the_request_with_the_reason(cli: CommandLine) -> None:
    account = await cli.account()
    await cli.json("start", account)
    withdrawn = await cli.json("withdraw", account, "--reason", "NOT_REQUESTED_BY_ME")
    assert (withdrawn["phase"], withdrawn["withdrawal_reason"]) == ("WITHDRAWN", "NOT_REQUESTED_BY_ME")
