"""Exit codes: 2 for usage, 3 for a rule, 4 for what does not answer; and what is said with each."""

import io
import socket

import pytest
from rich.console import Console

from cli import screens
from domain.accounts import RefusalReason
from domain.deletion import DeletionView
from domain.errors import ErrorType, Refusal
from domain.ids import cancellation_workflow_id, deletion_workflow_id
from domain.locale import Locale
from domain.phases import Phase
from service.cancellation_service import CancellationService
from simulator.kinds import Endpoint, FaultKind
from tests.cli.conftest import CommandLine
from tests.support.service import eventually

PHONE = "+8613800138000"


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("status",),
        ("status", "one", "two"),
        ("status", "acct", "--unknown"),
        ("status", "owner@example.com"),
        ("send-code", "acct", "--channel", "fax"),
        ("start", "acct", "--locale", "fr"),
        ("status", "acct", "--lang", "tlh"),
        ("accept-notice", "acct", "--sha256", "abc"),
        ("ticket", "reject", "T1"),
        ("ticket", "reject", "T1", "--operator", "agent-7", "--reason", "BECAUSE"),
        ("ticket", "list", "--limit", "0"),
    ],
    ids=" ".join,
)
async def test_what_cannot_be_understood_is_a_usage_error(cli: CommandLine, words: tuple[str, ...]) -> None:
    error = await cli.error(*words, code=2)
    assert error["type"] == "BadInput"
    people = await cli(*words)
    assert (people.code, people.out) == (2, "")
    assert "Usage" in people.err


@pytest.mark.parametrize(
    "words",
    [("status", PHONE), ("verify", "acct", "1", PHONE), ("send-code", "acct", "--channel", PHONE)],
    ids=" ".join,
)
async def test_a_usage_error_repeats_no_value(cli: CommandLine, words: tuple[str, ...]) -> None:
    printed = await cli(*words, "--json")
    assert printed.code == 2
    assert PHONE not in printed.out + printed.err


@pytest.mark.parametrize(
    ("account", "reason"),
    [
        ("no-such-account", RefusalReason.UNKNOWN_ACCOUNT),
        ("acct-sub-user", RefusalReason.SUB_USER),
        ("acct-closed", RefusalReason.ALREADY_CLOSED),
        ("acct-restricted", RefusalReason.RESTRICTED),
    ],
)
async def test_an_account_that_cannot_ask_is_refused_with_the_reason(
    cli: CommandLine, account: str, reason: RefusalReason
) -> None:
    error = await cli.error("start", account, code=3)
    assert error["refusal"] == reason
    view = await cli.json("status", account)
    assert (view["phase"], view["request_no"]) == ("REFUSED", error["request_no"])


async def test_a_step_in_the_wrong_phase_names_the_one_that_is_due(cli: CommandLine) -> None:
    account = await cli.account()
    await cli.json("start", account)
    for words in (("recheck",), ("confirm", "--i-understand", account), ("confirm",)):
        error = await cli.error(words[0], account, *words[1:], code=3)
        assert (error["type"], error["phase"], error["due_step"]) == ("WrongPhase", "AWAITING_IDENTITY", "send_code")
    people = await cli("recheck", account)
    assert "Step that is due: get a code" in people.err


async def test_a_wrong_code_says_how_many_tries_are_left(cli: CommandLine) -> None:
    account = await cli.account()
    await cli.json("start", account)
    assert (await cli.error("verify", account, "000000", code=3))["type"] == "WrongPhase"
    await cli.json("send-code", account)
    wrong = f"{(int(await cli.stack.store.latest_code(account)) + 1) % 1_000_000:06}"
    assert (await cli.error("verify", account, wrong, code=3))["tries_left"] == 4
    people = await cli("verify", account, wrong)
    assert "Tries left: 3" in people.err
    assert wrong not in people.err
    soon = await cli.error("send-code", account, code=3)
    assert soon["type"] == "ResendTooSoon"
    assert soon["retry_after_seconds"] > 0


async def test_an_old_notice_and_an_old_report_are_refused_with_the_current_one(cli: CommandLine) -> None:
    account = await cli.account()
    await cli.json("start", account, "--locale", "en")
    await cli.json("send-code", account)
    await cli.json("verify", account, await cli.stack.store.latest_code(account))
    current = await cli.json("accept-notice", account, "--show")
    stale = await cli.error("accept-notice", account, "--version", "2020-01", "--sha256", "0" * 64, code=3)
    assert (stale["type"], stale["sha256"]) == ("StaleNotice", current["sha256"])
    report = (await cli.json("accept-notice", account, "--yes"))["report"]
    stale = await cli.error("confirm", account, "--report", "0" * 64, code=3)
    assert (stale["type"], stale["report_digest"]) == ("StaleReport", report["digest"])


async def test_what_does_not_exist_is_refused(cli: CommandLine) -> None:
    for words in (
        ("status", "nobody-asked"),
        ("ticket", "show", "T20200101-AAAAAAAA"),
        ("ticket", "reject", "T20200101-AAAAAAAA", "--operator", "agent-7", "--reason", "SEE_NOTE", "--note", "words"),
        ("certificate", "C20200101-AAAAAAAA"),
        ("deletion", "show", "nobody-asked"),
        ("deletion", "resume", "nobody-asked"),
    ):
        error = await cli.error(*words, code=3)
        assert error["type"] in ("NotFound", "AccountUnknown"), words
    assert not [path for path in await cli.stack.vault.list("tickets") if "T20200101" in path]


async def test_a_stalled_deletion_is_shown_and_resumed(cli: CommandLine) -> None:
    account = await cli.reported()
    problem = ErrorType.REQUEST_INVALID
    await cli.stack.store.add_fault(
        Endpoint.ERASE_PERSONAL_DATA, FaultKind.ERROR, times=None, account_id=account, problem=problem
    )
    await cli.json("confirm", account, "--i-understand", account)
    await cli.in_phase(account, Phase.DELETION_STALLED)
    shown = await cli.json("deletion", "show", account, code=5)
    assert [(stalled["phase"], stalled["error_type"]) for stalled in shown["stalled"]] == [
        ("erase-personal-data", problem)
    ]
    people = await cli("deletion", "show", account)
    assert people.code == 5
    assert f"deletion resume {account}" in people.out
    assert (await cli.error("withdraw", account, code=3))["type"] == "PointOfNoReturn"
    await cli.stack.store.clear_faults()
    await cli.json("deletion", "resume", account, "--operator", "ops-1")
    await cli.in_phase(account, Phase.CLOSED)
    assert (await cli.error("deletion", "resume", account, code=3))["type"] == "AlreadyOver"


async def test_all_stalled_deletions_are_resumed_and_one_that_fails_stops_no_other(cli: CommandLine) -> None:
    await cli.stack.store.add_fault(
        Endpoint.ERASE_PERSONAL_DATA, FaultKind.ERROR, times=None, problem=ErrorType.REQUEST_INVALID
    )
    failing, fine = [await cli.reported() for _ in range(2)]
    for account in (failing, fine):
        await cli.json("confirm", account, "--i-understand", account)
        await cli.in_phase(account, Phase.DELETION_STALLED)
    await cli.stack.store.clear_faults()
    await eventually(cli.stack.cancellations.stalled_deletions, lambda waiting: {failing, fine} <= set(waiting))
    resume = CancellationService.resume_deletion

    async def resume_but_one(cancellations: CancellationService, account_id: str, operator_id: str) -> DeletionView:
        if account_id == failing:
            raise Refusal(ErrorType.VAULT_RECORD_MISSING, "Its dossier is gone.")
        return await resume(cancellations, account_id, operator_id)

    cli.monkeypatch.setattr(CancellationService, "resume_deletion", resume_but_one)
    told = await cli.json("deletion", "resume", "--all", "--operator", "ops-1", code=3)
    assert fine in told["resumed"]
    [failed] = [one for one in told["failed"] if one["account_id"] == failing]
    assert failed["error"]["type"] == "VaultRecordMissing"
    await cli.in_phase(fine, Phase.CLOSED)
    cli.monkeypatch.setattr(CancellationService, "resume_deletion", resume)
    people = await cli("deletion", "resume", "--all")
    assert (people.code, f"✓ {failing}" in people.out) == (0, True)
    await cli.in_phase(failing, Phase.CLOSED)
    for words in ((), (fine, "--all")):
        assert (await cli.error("deletion", "resume", *words, code=2))["type"] == "BadInput"


async def test_a_deletion_that_was_terminated_waits_for_operations(cli: CommandLine) -> None:
    account = await cli.reported()
    await cli.stack.store.add_fault(
        Endpoint.ERASE_PERSONAL_DATA,
        FaultKind.ERROR,
        times=None,
        account_id=account,
        problem=ErrorType.REQUEST_INVALID,
    )
    await cli.json("confirm", account, "--i-understand", account)
    await cli.in_phase(account, Phase.DELETION_STALLED)
    await cli.stack.client.get_workflow_handle(deletion_workflow_id(account)).terminate("by a test")
    await eventually(lambda: cli.stack.cancellations.view(account), lambda view: view.stalled is not None)
    shown = await cli.json("deletion", "show", account, code=5)
    assert shown["parked"]
    for command in (("deletion", "show"), ("status",)):
        assert f"Waits for operations: {shown['parked']}" in (await cli(*command, account)).out
    await cli.stack.store.clear_faults()
    await cli.json("deletion", "resume", account)
    await cli.in_phase(account, Phase.CLOSED)


async def test_a_request_that_was_ended_from_outside_is_seen_to_be(cli: CommandLine) -> None:
    account = await cli.reported()
    await cli.stack.client.get_workflow_handle(cancellation_workflow_id(account)).terminate("by a test")
    assert (await cli.json("status", account))["run_ended"] == "TERMINATED"
    people = await cli("status", account)
    assert "Start again" in people.out
    assert f"python starter.py start {account}" in people.out


async def test_what_was_new_under_the_hold_is_named(cli: CommandLine) -> None:
    account = await cli.reported()
    await cli.stack.store.set_facts(account, arrears_fen=4_599)
    await cli.json("confirm", account, "--i-understand", account)
    await cli.in_phase(account, Phase.BLOCKED)
    people = await cli("status", account)
    assert "Changed since it was agreed to, so nothing was closed: arrears" in people.out
    assert "Not your fault" not in people.out
    assert "ends by" in people.out


async def test_what_the_platform_could_not_tell_is_named(cli: CommandLine) -> None:
    account = await cli.account()
    for endpoint in (Endpoint.BALANCE, Endpoint.ENTITLEMENTS):
        await cli.stack.store.add_fault(
            endpoint, FaultKind.ERROR, times=None, account_id=account, problem=ErrorType.REQUEST_INVALID
        )
    await cli.to_report(account)
    people = await cli("status", account)
    assert "The platform could not tell: balance, entitlements. Not your fault" in people.out
    await cli.stack.store.clear_faults()


async def test_of_a_long_list_the_first_are_shown_and_how_many_more_there_are(cli: CommandLine) -> None:
    view = await cli.stack.cancellations.view(await cli.reported())
    assert view.report is not None
    assert view.report.entitlements is not None
    longer = view.report.entitlements.model_copy(update={"count": view.report.entitlements.count + 7})
    report = view.report.model_copy(update={"entitlements": longer})
    console = Console(file=io.StringIO())
    console.print(screens.forfeits("acct", report, Locale.EN), screens.forfeits("acct", report, Locale.ZH))
    assert isinstance(console.file, io.StringIO)
    assert "and 7 more" in console.file.getvalue()
    assert "另有 7 项" in console.file.getvalue()


async def test_a_platform_that_is_down_is_unreachable(cli: CommandLine) -> None:
    account = await cli.account()
    await cli.json("start", account)
    down = ErrorType.SERVICE_UNAVAILABLE
    await cli.stack.store.add_fault(
        Endpoint.CREATE_CHALLENGE, FaultKind.ERROR, times=None, account_id=account, problem=down
    )
    not_now = await cli.error("send-code", account, code=4)
    assert not_now["type"] == "NotNow"
    assert not_now["retry_after_seconds"] > 0
    await cli.stack.store.clear_faults()
    await cli.json("send-code", account)
    cli.monkeypatch.setenv("CANCELLATION_PLATFORM_URL", _nobody())
    assert (await cli.error("verify", account, "123456", code=4))["type"] == "Unreachable"


async def test_a_vault_that_is_down_is_unreachable(cli: CommandLine) -> None:
    for name, value in {
        "CANCELLATION_VAULT_URL": "s3://bucket/vault",
        "AWS_ENDPOINT_URL": _nobody(),
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }.items():
        cli.monkeypatch.setenv(name, value)
    cli.monkeypatch.delenv("SSL_CERT_DIR")
    error = await cli.error("certificate", "C20260101-AAAAAAAA", code=4)
    assert "vault" in error["message"]


async def test_temporal_that_refuses_connections_is_unreachable_and_named(cli: CommandLine) -> None:
    address = _nobody().removeprefix("http://")
    cli.monkeypatch.setenv("TEMPORAL_ADDRESS", address)
    for words in (("start", "acct-clean-phone"), ("ticket", "list"), ("status", "acct-clean-phone")):
        error = await cli.error(*words, code=4)
        assert address in error["message"]
        assert "TEMPORAL_ADDRESS" in error["message"]
    people = await cli("status", "acct-clean-phone", "--lang", "zh")
    assert "暂时无法连接" in people.err


async def test_an_issued_certificate_is_shown_without_temporal(cli: CommandLine) -> None:
    account = await cli.reported()
    confirmed = await cli.json("confirm", account, "--i-understand", account)
    await cli.in_phase(account, Phase.CLOSED)
    cli.monkeypatch.setenv("TEMPORAL_ADDRESS", _nobody().removeprefix("http://"))
    for words in ((confirmed["request_no"],), (account,), (confirmed["request_no"], "--account", account)):
        assert (await cli.json("certificate", *words))["account_id"] == account
    assert (await cli.error("certificate", "acct-clean-phone", code=3))["type"] == "NotFound"
    assert (await cli.error("certificate", confirmed["request_no"], "--account", "other", code=3))["type"] == "NotFound"


async def test_a_namespace_that_does_not_exist_is_not_mistaken_for_a_missing_request(cli: CommandLine) -> None:
    cli.monkeypatch.setenv("TEMPORAL_NAMESPACE", "elsewhere")
    assert "elsewhere" in (await cli.error("status", "acct-clean-phone", code=4))["message"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CANCELLATION_PLATFORM_URL", "not a url"),
        ("CANCELLATION_VAULT_URL", "nonsense"),
        ("TEMPORAL_PROFILE", "no-such-profile"),
        ("TEMPORAL_ADDRESS", "not an address"),
    ],
)
async def test_a_setting_that_cannot_be_used_is_a_usage_error(cli: CommandLine, name: str, value: str) -> None:
    cli.monkeypatch.setenv(name, value)
    assert "settings cannot be used" in (await cli.error("status", "acct", code=2))["message"]


async def test_a_bug_of_ours_is_told_apart_and_leaves_its_trace(cli: CommandLine) -> None:
    cli.monkeypatch.setattr("cli.operations.load", lambda _: 1 / 0)
    printed = await cli("due", "2026-01-05T10:00Z", "--json")
    assert (printed.code, printed.error["type"]) == (1, "InternalError")
    assert "ZeroDivisionError" in printed.err


async def test_temporal_that_accepts_and_then_says_nothing_is_given_up_soon(cli: CommandLine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        # By process: the connection that hangs must not keep the program from ending.
        printed = await cli.process("status", "acct", "--json", TEMPORAL_ADDRESS=address)
    assert printed.code == 4
    assert address in printed.error["message"]
    assert "Temporal connection failed" in printed.err


def _nobody() -> str:
    """An address at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"
