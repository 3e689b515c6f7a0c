"""Manual requests by the command line: filed, worked through the queue, decided."""

from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

from domain.checks import Check
from domain.ids import review_workflow_id
from domain.phases import Phase
from service.ticket_files import TicketFiles
from tests.cli.conftest import CONTACTS, CommandLine
from tests.support.service import eventually

OPERATOR = ("--operator", "agent-7")


async def test_an_enterprise_ticket_is_filed_completed_and_approved(cli: CommandLine, letter: Path) -> None:
    account = await cli.reported(real_name_type="ENTERPRISE", icp_applications_ever=1, offline_fen=20_000)
    give_up = ("--balance", "give-up", "--amount-fen", "20000")
    filed = await cli.file(account, *CONTACTS, *give_up, "--letter", str(letter), "--as", "agent-1")
    assert filed["balance"] == {"wish": "GIVE_UP", "amount_fen": 20_000}
    assert filed["phase"] == "UNDER_REVIEW"
    ticket = filed["review"]["ticket"]["ticket_no"]

    review = await cli.json("ticket", "show", ticket)
    assert review["case"]["account_id"] == account
    reasons = ("--reason", "SEAL_MISSING,LETTER_ILLEGIBLE", "--reason", "letter-incomplete")
    asked = await cli.json("ticket", "request-materials", ticket, *OPERATOR, *reasons)
    assert (asked["status"], asked["late"]) == ("AWAITING_MATERIALS", False)

    supplied = await cli.json("ticket", "supply", ticket, "--letter", str(letter), "--phone", "13900139000")
    assert (supplied["phase"], supplied["review"]["ticket"]["revision"]) == ("UNDER_REVIEW", 2)

    note = "Spoke with the company's lawyer."
    approved = await cli.json("ticket", "approve", ticket, *OPERATOR, "--note", "-", stdin=note)
    assert approved["status"] == "APPROVED"
    await cli.in_phase(account, Phase.CLOSED)
    [_, decided] = (await cli.json("ticket", "show", ticket))["decisions"]
    assert set(decided["decision"]["waived"]) == {Check.BALANCE, Check.ICP_FILING}
    assert await TicketFiles(cli.stack.vault).read_note(ticket, decided["decision"]["note_ref"]) == note


async def test_people_see_the_ticket_the_decision_and_the_reasons(cli: CommandLine) -> None:
    account = await cli.reported(icp_applications_ever=1)
    filed = await cli("ticket", "file", account, *CONTACTS, "--accept-notice", "--i-understand", account)
    assert "under review" in filed.out
    ticket = await cli.timed((await cli.json("status", account))["review"]["ticket"]["ticket_no"])
    shown = await cli("ticket", "show", ticket)
    assert "asks to waive: ICP filing" in shown.out
    assert "3 business days" in shown.out
    assert f"ticket approve {ticket} --operator ID" in shown.out

    asked = await cli("ticket", "request-materials", ticket, *OPERATOR, "--reason", "contact-unreachable")
    assert "awaiting materials" in asked.out
    await eventually(lambda: cli("ticket", "list", "--limit", "1000"), lambda queue: "clock paused" in queue.out)
    assert "under review" in (await cli("ticket", "supply", ticket, "--email", "new@example.com")).out
    rejected = await cli("ticket", "reject", ticket, *OPERATOR, "--reason", "DISPUTE_OPEN", "--lang", "zh")
    assert "已驳回" in rejected.out
    await cli.in_phase(account, Phase.REJECTED)
    assert "a dispute is open" in (await cli("status", account)).out


async def test_an_incomplete_ticket_is_refused_with_all_that_is_missing(cli: CommandLine) -> None:
    account = await cli.reported(icp_applications_ever=1)
    words = ("ticket", "file", account, "--i-understand", account)
    error = await cli.error(*words, "--email", "not an address", code=3)
    assert error["type"] == "TicketIncomplete"
    assert error["missing"] == ["CONTACT_EMAIL", "CONTACT_PHONE", "STATEMENT"]
    people = await cli(*words)
    assert "Give a phone number that reaches you" in people.err
    assert (await cli.json("status", account))["review"] is None


async def test_a_letter_that_is_none_is_refused(cli: CommandLine, tmp_path: Path) -> None:
    account = await cli.reported(real_name_type="ENTERPRISE", icp_applications_ever=1)
    fake = tmp_path / "letter.pdf"
    fake.write_bytes(b"MZ this is a program")
    words = (*CONTACTS, "--i-understand", account, "--letter", str(fake))
    error = await cli.error("ticket", "file", account, *words, code=3)
    assert (error["type"], error["because"]) == ("LetterRefused", "NOT_A_LETTER")
    missing_file = (*words[:-1], str(tmp_path / "nowhere.pdf"))
    assert (await cli.error("ticket", "file", account, *missing_file, code=2))["type"] == "BadInput"


def is_private_copy(file: Path, other: Path) -> bool:
    return file.read_bytes() == other.read_bytes() and not file.stat().st_mode & 0o077


async def test_a_lead_gets_the_letter_as_it_was_sent_once_and_with_a_warning(
    cli: CommandLine, letter: Path, tmp_path: Path
) -> None:
    account = await cli.reported(real_name_type="ENTERPRISE", icp_applications_ever=1)
    filed = await cli.file(account, *CONTACTS, "--letter", str(letter))
    ticket = filed["review"]["ticket"]["ticket_no"]
    out = tmp_path / "original.pdf"
    words = ("ticket", "original", ticket, "--operator", "lead-2", "--out", str(out))
    shown = await cli.process(*words)
    assert "nothing has made it harmless" in " ".join(shown.out.split())
    assert "lead-2" in shown.err
    assert ticket in shown.err
    assert is_private_copy(out, letter)
    assert (await cli.error(*words, code=2))["type"] == "BadInput"
    told = await cli.json(*words[:-1], str(tmp_path / "again.pdf"))
    assert told["original"]["media_type"] == "application/pdf"
    person = await cli.reported(icp_applications_ever=1)
    filed = await cli.file(person, *CONTACTS, "--accept-notice")
    none = ("ticket", "original", filed["review"]["ticket"]["ticket_no"], *words[3:-1], str(tmp_path / "none.pdf"))
    assert (await cli.error(*none, code=3))["type"] == "NotFound"


async def test_no_contact_is_stored_when_a_ticket_cannot_be_filed_now(cli: CommandLine) -> None:
    account = await cli.reported()
    before = await cli.stack.vault.list("tickets")
    words = (*CONTACTS, "--accept-notice", "--i-understand", account)
    error = await cli.error("ticket", "file", account, *words, code=3)
    assert (error["type"], error["phase"], error["due_step"]) == ("WrongPhase", "AWAITING_CONFIRMATION", "confirm")
    assert await cli.stack.vault.list("tickets") == before


async def test_materials_that_nobody_asked_for_are_refused(cli: CommandLine) -> None:
    _, ticket = await cli.filed()
    error = await cli.error("ticket", "supply", ticket, "--email", "new@example.com", code=3)
    assert (error["type"], error["phase"]) == ("WrongPhase", "UNDER_REVIEW")


async def test_the_queue_is_listed_by_deadline_with_its_counts(cli: CommandLine) -> None:
    mine = {(await cli.filed())[1] for _ in range(2)}
    queue = await eventually(
        lambda: cli.json("ticket", "list", "--limit", "1000"),
        # What tests before left behind may still be on its way out.
        lambda queue: mine <= _numbers(queue) and len(queue["tickets"]) == queue["counts"]["TOTAL"],
    )
    due = [row["due_at"] for row in queue["tickets"] if row["business_days_left"] is not None]
    assert due == sorted(due)
    for row in queue["tickets"]:
        if row["ticket_no"] in mine:
            assert (row["business_days_left"], row["late"]) == (3, False)
            assert row["reasons"] == ["ICP_FILING_EVER_APPLIED"]
    limited = await cli.json("ticket", "list", "--limit", "1")
    assert len(limited["tickets"]) == 1
    assert limited["counts"]["TOTAL"] >= 2
    assert "more; see --limit" in (await cli("ticket", "list", "--limit", "1")).out


async def test_a_queue_longer_than_a_page_is_listed_whole(cli: CommandLine) -> None:
    mine = {(await cli.filed())[1] for _ in range(3)}
    cli.monkeypatch.setattr("service.queue.MAX_PAGE", 2)
    queue = await eventually(
        lambda: cli.json("ticket", "list", "--limit", "1000"), lambda queue: mine <= _numbers(queue)
    )
    assert len(queue["tickets"]) == len(_numbers(queue))


async def test_a_ticket_without_a_clock_is_listed_as_such(cli: CommandLine) -> None:
    # Nobody takes it up, so that its deadline is never computed.
    ticket = f"T-{uuid4().hex[:8]}"
    review = await cli.stack.client.start_workflow("TicketReview", id=review_workflow_id(ticket), task_queue="nobody")
    queue = await eventually(
        lambda: cli.json("ticket", "list", "--limit", "1000"), lambda queue: ticket in _numbers(queue)
    )
    [row] = [row for row in queue["tickets"] if row["ticket_no"] == ticket]
    assert (row["due_at"], row["business_days_left"], row["late"]) == (None, None, False)
    assert queue["counts"]["CLOCK_NOT_SET"] >= 1
    assert "clock not yet set" in (await cli("ticket", "list", "--limit", "1000")).out
    await review.terminate("by a test")


def _numbers(queue: dict[str, Any]) -> set[str]:
    return {row["ticket_no"] for row in queue["tickets"]}


async def test_late_tickets_come_first_and_are_marked(cli: CommandLine) -> None:
    _, ticket = await cli.filed()
    filed_at = datetime.now(UTC)

    class InTwoWeeks(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls.fromtimestamp((filed_at + timedelta(days=14)).timestamp(), tz)

    cli.monkeypatch.setattr("cli.tickets.datetime", InTwoWeeks)
    queue = await eventually(
        lambda: cli.json("ticket", "list", "--limit", "1000"),
        lambda queue: ticket in _numbers(queue),
    )
    [row] = [row for row in queue["tickets"] if row["ticket_no"] == ticket]
    assert row["late"]
    assert row["business_days_left"] < 0
    assert queue["counts"]["LATE"] >= 1
    people = await cli("ticket", "list", "--limit", "1000")
    assert f"LATE by {-row['business_days_left'] - 1} business days" in people.out


async def test_a_decision_repeated_under_its_id_gets_the_first_answer(cli: CommandLine) -> None:
    _, ticket = await cli.filed()
    words = ("ticket", "reject", ticket, *OPERATOR, "--reason", "LEGAL_HOLD", "--decision-id", f"d-{uuid4()}")
    assert await cli.json(*words) == await cli.json(*words)
    another = await cli.error(*words[:-2], code=3)
    assert (another["type"], another["because"], another["decided_by"]) == (
        "DecisionRefused",
        "ALREADY_DECIDED",
        "agent-7",
    )


async def test_the_time_of_a_decision_lies_between_the_filing_and_now(cli: CommandLine) -> None:
    _, ticket = await cli.filed()
    for days in (-30, 30):
        then = (datetime.now(UTC) + timedelta(days=days)).isoformat()
        words = ("ticket", "reject", ticket, *OPERATOR, "--reason", "SEE_NOTE", "--decided-at", then)
        assert (await cli.error(*words, code=3))["because"] == "TIME_IMPLAUSIBLE"


async def test_a_decision_about_something_else_than_what_is_there_is_stale(cli: CommandLine) -> None:
    _, ticket = await cli.filed()
    case = (await cli.json("ticket", "show", ticket))["case"]
    shown = await cli("ticket", "show", ticket)
    assert f"revision 1 {case['ticket']['sha256']}" in shown.out
    assert case["report"]["digest"] in shown.out
    reject = ("ticket", "reject", ticket, *OPERATOR, "--reason", "SEE_NOTE")
    for option in ("--revision", "--report"):
        assert (await cli.error(*reject, option, "0" * 64, code=3))["because"] == "STALE"
    read = ("--revision", case["ticket"]["sha256"], "--report", case["report"]["digest"])
    assert (await cli.json(*reject, *read))["status"] == "REJECTED"


async def test_nothing_is_filed_before_the_report_was_read(cli: CommandLine) -> None:
    account = await cli.reported(icp_applications_ever=1, frozen_fen=12_850)
    before = await cli.stack.vault.list("tickets")
    file = ("ticket", "file", account, *CONTACTS, "--accept-notice")
    unsaid = await cli.error(*file, code=2)
    assert unsaid["balance_fen"] == 12_850
    report = ("--report", unsaid["report_digest"])
    people = await cli(*file)
    assert people.code == 2
    for words in ("cannot be restored", "voucher", "¥128.50", "an ICP filing was applied for", " ".join(report)):
        assert words in people.err
    for word_about_money in (
        (),
        ("--amount-fen", "12850"),
        ("--balance", "give-up"),
        ("--balance", "give-up", "--amount-fen", "1"),
        ("--balance", "return", "--amount-fen", "1"),
    ):
        error = await cli.error(*file, *report, *word_about_money, code=2)
        assert (error["balance_fen"], error["report_digest"]) == (12_850, unsaid["report_digest"])
    await cli.error(*file, "--i-understand", "another-account", code=2)
    stale = await cli.error(*file, "--report", "0" * 64, "--balance", "return", code=3)
    assert (stale["type"], stale["report_digest"]) == ("StaleReport", unsaid["report_digest"])
    assert await cli.stack.vault.list("tickets") == before

    filed = await cli.json(*file, *report, "--balance", "return")
    assert filed["balance"] == {"wish": "RETURN", "amount_fen": 12_850}
    shown = await cli("ticket", "show", filed["review"]["ticket"]["ticket_no"])
    assert "Money ¥128.50: have it returned" in shown.out
    assert "asks to waive: ICP filing\n" in shown.out


async def test_where_there_is_no_money_nothing_is_said_about_it(cli: CommandLine) -> None:
    account = await cli.reported(icp_applications_ever=1)
    words = (*CONTACTS, "--accept-notice", "--i-understand", account)
    error = await cli.error("ticket", "file", account, *words, "--balance", "return", code=2)
    assert "no money" in error["message"]


async def test_a_decision_that_a_rule_forbids_is_refused(cli: CommandLine) -> None:
    account, ticket = await cli.filed()
    for command, options, because in (
        ("reject", OPERATOR, "REASONS_MISSING"),
        ("request-materials", OPERATOR, "REASONS_MISSING"),
        ("approve", (*OPERATOR, "--waive", "BALANCE"), "WAIVERS_INCOMPLETE"),
        ("approve", ("--operator", account), "SELF_APPROVAL"),
    ):
        error = await cli.error("ticket", command, ticket, *options, code=3)
        assert (error["type"], error["because"]) == ("DecisionRefused", because)


async def test_without_a_verified_channel_identity_has_to_be_attested(cli: CommandLine) -> None:
    account = await cli.account(channels="")
    started = await cli("start", account, "--locale", "en")
    # What is given up has been shown by now.
    assert "billable resources" in started.out
    assert f"ticket file {account}" in started.out
    assert (await cli.json("recheck", account))["phase"] == "AWAITING_IDENTITY"
    assert (await cli.error("send-code", account, code=3))["type"] == "NoVerifiedChannel"
    filed = await cli.file(account, *CONTACTS, "--accept-notice")
    ticket = filed["review"]["ticket"]["ticket_no"]
    refused = await cli.error("ticket", "approve", ticket, *OPERATOR, code=3)
    assert refused["because"] == "IDENTITY_NOT_ATTESTED"
    await cli.json("ticket", "approve", ticket, *OPERATOR, "--attest-identity")
    await cli.in_phase(account, Phase.CLOSED)


async def test_a_signal_goes_through_while_no_worker_runs(cli: CommandLine) -> None:
    account, ticket = await cli.filed()
    case = (await cli.json("ticket", "show", ticket))["case"]
    read = ("--revision", case["ticket"]["sha256"], "--report", case["report"]["digest"])
    # Not killed: a worker that crashed leaves its workflows bound to it for ten seconds.
    await cli.stack.worker.stop()
    try:
        cli.monkeypatch.setattr("service.base.LOOK_LIMIT", timedelta(seconds=1))
        assert "No worker" in (await cli.error("ticket", "show", ticket, code=4))["message"]
        sent = await cli.json("ticket", "approve", ticket, *OPERATOR, "--waive", "ICP_FILING", *read, "--signal")
        assert (sent["kind"], sent["status"]) == ("approve", None)
    finally:
        await cli.stack.worker.start()
    cli.monkeypatch.undo()
    await cli.in_phase(account, Phase.CLOSED)
