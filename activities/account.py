"""The account itself and the proof of its owner's identity."""

from temporalio import activity

from activities.failures import run_key
from domain.accounts import AccountProfile, Channel
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
from domain.messages import CodeSent
from domain.model import Model, OpaqueId
from domain.policy import Policy
from gateways.contract import ChallengeRequest, RedeemRequest
from gateways.errors import GatewayError
from gateways.ports import Platform, Vault


class AccountRef(Model):
    account_id: OpaqueId


class AccountFound(Model):
    """What there is under an account id.

    `profile` is None for an unknown account. `unfinished_deletion` is set when this service closed the account but
    never certified it: the one case in which a closed account still has work to be done.
    """

    profile: AccountProfile | None
    unfinished_deletion: DeletionInput | None = None


class ChallengeOrder(Model):
    account_id: OpaqueId
    channel: Channel


class ProofOrder(Model):
    account_id: OpaqueId
    challenge_id: OpaqueId
    proof: OpaqueId


async def unfinished_deletion(vault: Vault, profile: AccountProfile) -> DeletionInput | None:
    """The deletion to resume, rebuilt from the dossier on which the platform closed the account, or None."""
    if profile.closure is None:
        return None
    found = await vault.find(dossier_path(profile.account_id, profile.closure.dossier_sha256), Dossier)
    if found is None:
        return None
    dossier, ref = found
    if await vault.find(certificate_path(dossier.request_no), Certificate):
        return None
    return DeletionInput.from_dossier(dossier, ref, profile.closure.closed_at, Policy().final_notice_limit)


class AccountActivities:
    def __init__(self, platform: Platform, vault: Vault) -> None:
        self._platform = platform
        self._vault = vault

    @activity.defn
    async def read_account(self, order: AccountRef) -> AccountFound:
        try:
            profile = await self._platform.profile(order.account_id)
        except GatewayError as error:
            if error.type is ErrorType.ACCOUNT_UNKNOWN:
                return AccountFound(profile=None)
            raise
        return AccountFound(profile=profile, unfinished_deletion=await unfinished_deletion(self._vault, profile))

    @activity.defn
    async def send_identity_code(self, order: ChallengeOrder) -> CodeSent:
        """Have the platform send a code to the owner's verified channel. The code never passes through here."""
        created = await self._platform.create_challenge(
            order.account_id, ChallengeRequest(channel=order.channel, request_id=run_key())
        )
        return CodeSent(
            challenge_id=created.challenge_id,
            channel=order.channel,
            expires_at=created.expires_at,
            resend_after=created.resend_after,
        )

    @activity.defn
    async def redeem_identity_proof(self, order: ProofOrder) -> IdentityEvidence:
        redeemed = await self._platform.redeem_proof(
            order.account_id,
            RedeemRequest(challenge_id=order.challenge_id, proof=order.proof, request_id=run_key()),
        )
        return IdentityEvidence(
            method=IdentityMethod.CODE,
            channel=redeemed.channel,
            evidence_id=order.challenge_id,
            verified_at=redeemed.verified_at,
        )
