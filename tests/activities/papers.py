"""What the tests of activities need: the papers of one closure, a platform that says what it is told to, a vault."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from domain.accounts import AccountKind, AccountProfile, AccountStatus, Channel, Closure, RealNameType
from domain.actors import Actor, Via
from domain.checks import Check, CheckOutcome, EligibilityReport, Entitlement, EntitlementKind, ForfeitList
from domain.deletion import (
    Certificate,
    Confirmation,
    DeletionInput,
    Dossier,
    IdentityEvidence,
    IdentityMethod,
    NoticeAcceptance,
    dossier_path,
    retained_records,
)
from domain.errors import ErrorType
from domain.locale import Locale
from domain.model import Model, VaultRef
from gateways.errors import GatewayError
from gateways.ports import Platform
from gateways.vault import ObjectVault

AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
CLOSED_AT = AT + timedelta(minutes=5)
ACCOUNT, REQUEST = "acc-1", "C-1"
OWNER = Actor(subject="person-1", via=Via.CONSOLE)
NO_FORFEITS = ForfeitList(items=(), count=0, total_fen=0)
UNKNOWN_ACCOUNT = GatewayError(ErrorType.ACCOUNT_UNKNOWN, "no such account", retryable=False)
NO_ANSWER = GatewayError(ErrorType.UNREACHABLE, "no answer", retryable=True)


@dataclass
class Stub:
    """A gateway: each method gives its prepared answers one after the other, the last for ever, or raises them."""

    answers: dict[str, Sequence[Any]]
    calls: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        async def answer(*arguments: Any) -> Any:
            self.calls.append((name, arguments))
            given = self.answers[name]
            found = given[min(len(self.called(name)), len(given)) - 1]
            if isinstance(found, Exception):
                raise found
            return found

        return answer

    def called(self, name: str) -> list[tuple[Any, ...]]:
        return [arguments for called, arguments in self.calls if called == name]

    @property
    def platform(self) -> Platform:
        return cast(Platform, self)


def platform(**answers: Any) -> Stub:
    """One answer of each method, or a list of them."""
    return Stub({name: given if isinstance(given, list) else [given] for name, given in answers.items()})


def vault() -> ObjectVault:
    return ObjectVault("memory:///")


def report(forfeits: ForfeitList = NO_FORFEITS) -> EligibilityReport:
    outcomes = {check: CheckOutcome.of(check, AT, None, {}) for check in Check}
    return EligibilityReport.compose(REQUEST, 1, outcomes, forfeits)


def dossier(forfeits: ForfeitList = NO_FORFEITS, **changes: Any) -> Dossier:
    shown = report(forfeits)
    whole = Dossier(
        request_no=REQUEST,
        account_id=ACCOUNT,
        real_name_type=RealNameType.INDIVIDUAL,
        locale=Locale.ZH,
        identity=IdentityEvidence(
            method=IdentityMethod.CODE, channel=Channel.PHONE, evidence_id="challenge-1", verified_at=AT, by=OWNER
        ),
        notice=NoticeAcceptance(version="2026-11", sha256="b" * 64, accepted_at=AT, by=OWNER),
        confirmation=Confirmation(report_digest=shown.digest, confirmed_at=AT, by=OWNER),
        ticket=None,
        decision=None,
        report=shown,
        sealing_report=shown,
        waivers=(),
        balance_consent="",
        voucher_consent="我知悉并同意",
        sealed_at=AT,
        previous=None,
    )
    return whole.model_copy(update=changes)


async def stored(vault: ObjectVault, paper: Dossier) -> VaultRef:
    return await vault.put_evidence(dossier_path(paper.account_id, paper.content_sha256()), paper)


def deletion(ref: VaultRef, **changes: Any) -> DeletionInput:
    whole = DeletionInput.from_dossier(dossier(), ref, timedelta(days=1), timedelta(hours=1))
    return whole.model_copy(update=changes)


def certificate(of: DeletionInput, **changes: Any) -> Certificate:
    whole = Certificate(
        request_no=of.request_no,
        account_id=of.account_id,
        notice_version="2026-11",
        notice_sha256="b" * 64,
        closed_at=CLOSED_AT,
        issued_at=CLOSED_AT,
        receipts=(),
        forfeited=(),
        waived=(),
        retained=retained_records(CLOSED_AT),
        previous=of.dossier,
    )
    return whole.model_copy(update=changes)


def profile(closure: Closure | None = None, **changes: Any) -> AccountProfile:
    whole = AccountProfile(
        account_id=ACCOUNT,
        kind=AccountKind.MAIN,
        real_name_type=RealNameType.INDIVIDUAL,
        channels=(Channel.PHONE,),
        status=AccountStatus.CLOSED if closure else AccountStatus.ACTIVE,
        restricted=False,
        closure=closure,
    )
    return whole.model_copy(update=changes)


def closure(dossier_sha256: str, request_no: str = REQUEST) -> Closure:
    return Closure(request_id=request_no, closed_at=CLOSED_AT, dossier_sha256=dossier_sha256)


def vouchers(number: int) -> tuple[Entitlement, ...]:
    return tuple(
        Entitlement(entitlement_id=f"voucher-{n}", kind=EntitlementKind.VOUCHER, value_fen=100) for n in range(number)
    )


def size(model: Model) -> int:
    """In bytes, as a payload of Temporal."""
    return len(model.model_dump_json().encode())
