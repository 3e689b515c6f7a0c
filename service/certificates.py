"""Certificates: by request number, and by account."""

from domain.deletion import Certificate, Dossier, certificate_path, certificates_of, dossiers_of
from domain.errors import ErrorType, Refusal
from service.base import ServiceBase
from service.errors import translate_errors


class Certificates(ServiceBase):
    """Proofs of closures, from the vault alone."""

    async def certificate(self, request_no: str, account_id: str | None = None) -> Certificate:
        """By request number: the account is gone by then. Its hash chain is verified on the way.

        Where a caller has used one number for two accounts, the account has to be named, too.
        """
        async with translate_errors(f"certificate of {request_no}"):
            if account_id is None:
                paths = await self.vault.list(certificates_of(request_no))
                if len(paths) > 1:
                    raise Refusal(
                        ErrorType.BAD_INPUT, f"Several accounts have a request {request_no}; name the account, too."
                    )
                path = paths[0] if paths else ""
            else:
                path = certificate_path(request_no, account_id)
            found = await self.vault.find(path, Certificate) if path else None
            if found is None:
                raise Refusal(
                    ErrorType.NOT_FOUND,
                    f"There is no certificate of {request_no}; it is issued when the account is gone.",
                )
            certificate = found[0]
            dossier = await self.vault.read(certificate.previous, Dossier)
            named = (certificate.request_no, certificate.account_id)
            if path != certificate_path(*named) or named != (dossier.request_no, dossier.account_id):
                raise Refusal(
                    ErrorType.VAULT_RECORD_FOREIGN,
                    f"The vault's record {path} is of another account or request. Find out who wrote it.",
                )
            return certificate

    async def certificate_of_account(self, account_id: str) -> Certificate:
        """The account's certificate, whatever its request number was, and however long ago."""
        async with translate_errors(f"certificate of account {account_id}"):
            for path in await self.vault.list(dossiers_of(account_id)):
                dossier = await self.vault.find(path, Dossier)
                if dossier is None:
                    continue
                request_no = dossier[0].request_no
                if await self.vault.find(certificate_path(request_no, account_id), Certificate):
                    return await self.certificate(request_no, account_id)
            raise Refusal(ErrorType.NOT_FOUND, f"There is no certificate of account {account_id}.")
