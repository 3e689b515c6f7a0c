"""Messages to owners, to the contact that a ticket names, and to staff. Addresses stay in vault and platform."""

from temporalio import activity

from domain.model import Model
from domain.notifications import Notification
from domain.tickets import TicketForm
from gateways.contract import (
    AccountNotification,
    ContactNotification,
    StaffContact,
    TicketContact,
)
from gateways.ports import Platform, Vault


class NotifyResult(Model):
    count: int


class NotificationActivities:
    def __init__(self, platform: Platform, vault: Vault) -> None:
        self._platform = platform
        self._vault = vault

    @activity.defn
    async def notify(self, message: Notification) -> NotifyResult:
        if message.account_id is not None:
            accepted = await self._platform.notify_account(
                message.account_id,
                AccountNotification(template=message.template, locale=message.locale, params=message.params),
                message.key,
            )
            return NotifyResult(count=accepted.delivered)
        accepted = await self._platform.notify_contact(
            ContactNotification(
                template=message.template,
                locale=message.locale,
                params=message.params,
                contact=await self._contact(message),
            ),
            message.key,
        )
        return NotifyResult(count=accepted.delivered)

    async def _contact(self, message: Notification) -> TicketContact | StaffContact:
        if message.desk is not None:
            return StaffContact(desk=message.desk)
        assert message.ticket is not None, "a notification has exactly one recipient"
        form = await self._vault.read(message.ticket.record, TicketForm)
        return TicketContact(email=form.contact_email, phone=form.contact_phone)
