"""The last reversible steps and the irreversible one: hold, dossier, close."""

from temporalio import activity

from domain.accounts import Hold
from domain.checks import Check
from domain.deletion import Dossier, dossier_path
from domain.model import Model, OpaqueId, Sha256Hex, VaultRef
from gateways.contract import Closed, ClosureRequest, HoldRequest
from gateways.ports import Platform, Vault


class TakeHoldInput(Model):
    account_id: OpaqueId
    hold_id: OpaqueId
    ttl_seconds: int


class ReleaseHoldInput(Model):
    """By the hold's own id: its token may have been lost with an answer. A released id can never be taken again."""

    account_id: OpaqueId
    hold_id: OpaqueId


class ReleaseHoldResult(Model):
    pass


class CloseAccountInput(Model):
    account_id: OpaqueId
    request_no: OpaqueId
    hold_token: OpaqueId
    waivers: tuple[Check, ...]
    dossier_sha256: Sha256Hex


class SealingActivities:
    def __init__(self, platform: Platform, vault: Vault) -> None:
        self._platform = platform
        self._vault = vault

    @activity.defn
    async def take_hold(self, input: TakeHoldInput) -> Hold:
        return await self._platform.take_hold(
            input.account_id, HoldRequest(request_id=input.hold_id, ttl_seconds=input.ttl_seconds)
        )

    @activity.defn
    async def release_hold(self, input: ReleaseHoldInput) -> ReleaseHoldResult:
        await self._platform.release_hold(input.account_id, input.hold_id)
        return ReleaseHoldResult()

    @activity.defn
    async def write_dossier(self, dossier: Dossier) -> VaultRef:
        return await self._vault.put_evidence(dossier_path(dossier.account_id, dossier.content_sha256()), dossier)

    @activity.defn
    async def close_account(self, input: CloseAccountInput) -> Closed:
        """Turn the live hold into closure. The same request again gets the first answer, so a lost one is no danger.

        The answer is for whoever reads the history: a deletion asks the platform itself when the account was closed.
        """
        return await self._platform.close(
            input.account_id,
            ClosureRequest(
                request_id=input.request_no,
                hold_token=input.hold_token,
                waivers=input.waivers,
                dossier_sha256=input.dossier_sha256,
            ),
        )
