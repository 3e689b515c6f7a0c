"""The account itself and the proof of its owner's identity."""

from datetime import timedelta

from temporalio import activity

from activities.failures import run_key
from domain.accounts import AccountProfile, AccountStatus, Channel
from domain.actors import Actor
from domain.deletion import (
    Certificate,
    DeletionInput,
    Dossier,
    IdentityEvidence,
    IdentityMethod,
    certificate_path,
    dossier_path,
)
from domain.errors import ErrorType
from domain.ids import composed_id
from domain.messages import CodeSent
from domain.model import Model, OpaqueId, VaultRef
from gateways.contract import ChallengeRequest, RedeemRequest
from gateways.errors import GatewayError
from gateways.ports import Platform, Vault


class ReadAccountInput(Model):
    """The limits are for a deletion that has to be taken up again."""

    account_id: OpaqueId
    final_notice_limit: timedelta
    stuck_after: timedelta


class ClosedByUs(Model):
    """A closure that the platform recorded for a request of ours.

    `deletion` is rebuilt from the dossier on which the account was closed; without it there is none in the vault.
    `certificate` is there when nothing is left to be done. `trouble` is why the evidence cannot be used.
    """

    request_no: OpaqueId
    deletion: DeletionInput | None
    certificate: VaultRef | None = None
    trouble: str | None = None


class ReadAccountResult(Model):
    """What there is under an account id. `profile` is None for an unknown account."""

    profile: AccountProfile | None
    closed: ClosedByUs | None = None

    @property
    def is_closed(self) -> bool:
        return self.profile is not None and self.profile.status is AccountStatus.CLOSED


class FindCertificateInput(Model):
    deletion: DeletionInput


class FindCertificateResult(Model):
    certificate: VaultRef | None


class SendIdentityCodeInput(ReadAccountInput):
    channel: Channel


class SendIdentityCodeResult(Model):
    """The account as it was found, and the code; none for an account that is closed or has not this channel."""

    found: ReadAccountResult
    code: CodeSent | None = None


class RedeemIdentityProofInput(ReadAccountInput):
    request_no: OpaqueId
    challenge_id: OpaqueId
    proof: OpaqueId
    by: Actor


class RedeemIdentityProofResult(Model):
    """The account as it was found, and the evidence; none for an account that is closed or without any channel."""

    found: ReadAccountResult
    identity: IdentityEvidence | None = None


async def certificate_of(vault: Vault, deletion: DeletionInput) -> tuple[Certificate, VaultRef] | None:
    """The certificate of this very deletion. Another one in its place is an error, and never success."""
    found = await vault.find(certificate_path(deletion.request_no, deletion.account_id), Certificate)
    if found is None:
        return None
    certificate, ref = found
    mine = (deletion.account_id, deletion.request_no, deletion.dossier.sha256)
    if (certificate.account_id, certificate.request_no, certificate.previous.sha256) != mine:
        raise GatewayError(
            ErrorType.VAULT_RECORD_FOREIGN,
            f"The vault's record {ref.path} is of another account, request or dossier. Find out who wrote it.",
            retryable=False,
        )
    return found


async def closure_of(
    vault: Vault, profile: AccountProfile, final_notice_limit: timedelta, stuck_after: timedelta
) -> ClosedByUs | None:
    """What became of a closure that names a request: its dossier, and its certificate as soon as there is one."""
    closure = profile.closure
    if closure is None:
        return None
    found = await vault.find(dossier_path(profile.account_id, closure.dossier_sha256), Dossier)
    if found is None:
        return ClosedByUs(request_no=closure.request_id, deletion=None)
    dossier, ref = found
    if (dossier.account_id, dossier.request_no, ref.sha256) != (
        profile.account_id,
        closure.request_id,
        closure.dossier_sha256,
    ):
        raise GatewayError(
            ErrorType.VAULT_RECORD_FOREIGN,
            f"The vault's record {ref.path} is not the dossier on which account {profile.account_id} was closed. "
            "Find out who wrote it.",
            retryable=False,
        )
    deletion = DeletionInput.from_dossier(dossier, ref, final_notice_limit, stuck_after)
    certified = await certificate_of(vault, deletion)
    return ClosedByUs(request_no=closure.request_id, deletion=deletion, certificate=certified[1] if certified else None)


class AccountActivities:
    def __init__(self, platform: Platform, vault: Vault) -> None:
        self._platform = platform
        self._vault = vault

    @activity.defn
    async def read_account(self, input: ReadAccountInput) -> ReadAccountResult:
        try:
            profile = await self._platform.profile(input.account_id)
        except GatewayError as error:
            if error.type is ErrorType.ACCOUNT_UNKNOWN:
                return ReadAccountResult(profile=None)
            raise
        try:
            closed = await closure_of(self._vault, profile, input.final_notice_limit, input.stuck_after)
        except GatewayError as error:
            if error.retryable or profile.closure is None:
                raise
            # Closed for a request of ours, on evidence that cannot be right: for operations, and never "over".
            closed = ClosedByUs(request_no=profile.closure.request_id, deletion=None, trouble=error.type)
        return ReadAccountResult(profile=profile, closed=closed)

    @activity.defn
    async def find_certificate(self, input: FindCertificateInput) -> FindCertificateResult:
        """The certificate of this very deletion: the one proof that it is done, whoever has run it."""
        found = await certificate_of(self._vault, input.deletion)
        return FindCertificateResult(certificate=found[1] if found else None)

    @activity.defn
    async def send_identity_code(self, input: SendIdentityCodeInput) -> SendIdentityCodeResult:
        """Read the account again, then have the platform send a code. The code never passes through here."""
        found = await self.read_account(input)
        if found.profile and (found.is_closed or input.channel not in found.profile.channels):
            return SendIdentityCodeResult(found=found)
        challenge = await self._platform.create_challenge(
            input.account_id, ChallengeRequest(channel=input.channel, request_id=run_key())
        )
        return SendIdentityCodeResult(found=found, code=CodeSent(**dict(challenge), channel=input.channel))

    @activity.defn
    async def redeem_identity_proof(self, input: RedeemIdentityProofInput) -> RedeemIdentityProofResult:
        """Read the account again, then use up the proof.

        Its request id is its own, so that one whose answer was lost can be redeemed again.
        """
        found = await self.read_account(input)
        if found.profile and (found.is_closed or not found.profile.channels):
            return RedeemIdentityProofResult(found=found)
        redeemed = await self._platform.redeem_proof(
            input.account_id,
            RedeemRequest(
                challenge_id=input.challenge_id,
                proof=input.proof,
                request_id=composed_id(input.request_no, "redeem", input.challenge_id),
            ),
        )
        identity = IdentityEvidence(
            method=IdentityMethod.CODE,
            channel=redeemed.channel,
            evidence_id=input.challenge_id,
            verified_at=redeemed.verified_at,
            by=input.by,
        )
        return RedeemIdentityProofResult(found=found, identity=identity)
