"""The last reversible steps and the irreversible one: hold, dossier, close."""

from temporalio import activity

from domain.checks import Check
from domain.deletion import Dossier, dossier_path
from domain.model import Instant, Model, OpaqueId, Sha256Hex, VaultRef
from gateways.contract import ClosureRequest, HoldRequest
from gateways.ports import Platform, Vault


class HoldOrder(Model):
    account_id: OpaqueId
    hold_id: OpaqueId
    ttl_seconds: int


class HoldTaken(Model):
    hold_token: OpaqueId
    expires_at: Instant


class ReleaseOrder(Model):
    """By the hold's own id: its token may have been lost with an answer. A released id can never be taken again."""

    account_id: OpaqueId
    hold_id: OpaqueId


class Released(Model):
    pass


class CloseOrder(Model):
    account_id: OpaqueId
    request_no: OpaqueId
    hold_token: OpaqueId
    waivers: tuple[Check, ...]
    dossier_sha256: Sha256Hex


class AccountClosed(Model):
    """For whoever reads the history: a deletion asks the platform itself when the account was closed."""

    closed_at: Instant


class SealingActivities:
    def __init__(self, platform: Platform, vault: Vault) -> None:
        self._platform = platform
        self._vault = vault

    @activity.defn
    async def take_hold(self, order: HoldOrder) -> HoldTaken:
        hold = await self._platform.take_hold(
            order.account_id, HoldRequest(request_id=order.hold_id, ttl_seconds=order.ttl_seconds)
        )
        return HoldTaken(hold_token=hold.hold_token, expires_at=hold.expires_at)

    @activity.defn
    async def release_hold(self, order: ReleaseOrder) -> Released:
        await self._platform.release_hold(order.account_id, order.hold_id)
        return Released()

    @activity.defn
    async def write_dossier(self, dossier: Dossier) -> VaultRef:
        return await self._vault.put_evidence(dossier_path(dossier.account_id, dossier.content_sha256()), dossier)

    @activity.defn
    async def close_account(self, order: CloseOrder) -> AccountClosed:
        """Turn the live hold into closure. The same request again gets the first answer, so a lost one is no danger."""
        closed = await self._platform.close(
            order.account_id,
            ClosureRequest(
                request_id=order.request_no,
                hold_token=order.hold_token,
                waivers=order.waivers,
                dossier_sha256=order.dossier_sha256,
            ),
        )
        return AccountClosed(closed_at=closed.closed_at)
