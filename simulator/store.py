"""The simulator from behind, for the demo and the tests: its accounts, its outbox, its faults, and what it did."""

from datetime import timedelta
from typing import Any, Self, TypeVar

from aiohttp import ClientSession
from pydantic import TypeAdapter

from domain.errors import ErrorType
from domain.notifications import Template
from gateways.contract import Problem
from simulator.edits import Value
from simulator.faults import ActiveFault, Fault
from simulator.kinds import Endpoint, FaultKind
from simulator.problems import PlatformProblem
from simulator.settings import DEFAULT_URL
from simulator.views import ADMIN, AccountListed, AccountState, Call, OutboxMessage

T = TypeVar("T")


class SimulatorStore:
    """Works through the running server. Use it as an async context manager.

    Every method may raise `aiohttp.ClientConnectionError` (nobody serves there) and `PlatformProblem` (refused).
    """

    def __init__(self, url: str = DEFAULT_URL) -> None:
        self._url = url.rstrip("/") + ADMIN
        self._http: ClientSession

    async def __aenter__(self) -> Self:
        self._http = ClientSession()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    async def accounts(self) -> list[AccountListed]:
        """Every account, in the order in which they were made."""
        return await self._ask("GET", "/accounts", list[AccountListed])

    async def account(self, account_id: str) -> AccountState:
        return await self._ask("GET", f"/accounts/{account_id}", AccountState)

    async def personal_data(self, account_id: str) -> list[str]:
        """Names and addresses, each as it is."""
        return await self._ask("GET", f"/accounts/{account_id}/personal-data", list[str])

    async def add_clean_accounts(self, prefix: str, number: int) -> list[str]:
        """Accounts with nothing in the way, `<prefix>-00001` and so on; those that exist are left as they are."""
        return await self._ask("POST", "/accounts", list[str], {"prefix": prefix, "number": number})

    async def set_facts(self, account_id: str, **changes: Value) -> None:
        """Change the world: `available_fen=0`, `restricted=True`, `**{"resources.vm": 0}`; `edits.FIELDS` lists all."""
        await self._ask("PATCH", f"/accounts/{account_id}", object, changes)

    async def let_time_pass(self, account_id: str, duration: timedelta) -> None:
        """Make this account's challenges, proofs, hold and long work older, so that nobody has to wait for them."""
        await self._ask("POST", f"/accounts/{account_id}/time", object, duration.total_seconds())

    async def add_fault(self, endpoint: Endpoint | str | None, kind: FaultKind | str, **how: Any) -> int:
        """Make trouble; `how` are the other fields of `Fault`. Answers the fault's id.

        Raises:
            pydantic.ValidationError: there is no such endpoint or kind of fault, or a field does not fit.
        """
        fault = Fault.model_validate({"endpoint": endpoint, "kind": kind, **how})
        return (await self._ask("POST", "/faults", ActiveFault, fault.model_dump(mode="json"))).id

    async def open_gate(self, fault_id: int) -> None:
        """Let through the requests that wait at this gate, and all later ones."""
        await self._ask("POST", f"/faults/{fault_id}/open", object)

    async def waiting_at(self, fault_id: int) -> int:
        """How many requests have arrived at this gate so far; 0 for one that is gone."""
        return sum(fault.arrived for fault in await self.faults() if fault.id == fault_id)

    async def faults(self) -> list[ActiveFault]:
        return await self._ask("GET", "/faults", list[ActiveFault])

    async def clear_faults(self) -> None:
        """Heal everything, and let through whoever waits at a gate."""
        await self._ask("DELETE", "/faults", object)

    async def outbox(self, account_id: str | None = None) -> list[OutboxMessage]:
        """Messages in the order in which they went out; those of one account, or all."""
        return await self._ask("GET", "/outbox", list[OutboxMessage], account_id=account_id)

    async def latest_code(self, account_id: str) -> str:
        """The code that was last sent to this account.

        Raises:
            LookupError: none was sent.
        """
        codes = [m.params["code"] for m in await self.outbox(account_id) if m.template is Template.IDENTITY_CODE]
        if not codes:
            raise LookupError(f"no code was sent to {account_id}")
        return codes[-1]

    async def calls(self, endpoint: Endpoint | str | None = None, account_id: str | None = None) -> list[Call]:
        """What was obeyed, in order: `APPLIED` really changed something, the other effects did not."""
        return await self._ask("GET", "/calls", list[Call], endpoint=endpoint, account_id=account_id)

    async def arrivals(self) -> dict[int, int]:
        """How many requests came in each second since the epoch, reads and refused ones included."""
        return await self._ask("GET", "/arrivals", dict[int, int])

    async def reset(self) -> None:
        """Back to the seeds, without faults."""
        await self._ask("POST", "/reset", object)

    async def _ask(self, method: str, path: str, answer: type[T], body: Any = None, **query: str | None) -> T:
        given = {name: value for name, value in query.items() if value is not None}
        async with self._http.request(method, self._url + path, json=body, params=given) as response:
            content = await response.read()
        if not response.ok:
            problem = Problem.model_validate_json(content)
            raise PlatformProblem(problem.error_type or ErrorType.INTERNAL_ERROR, problem.detail or problem.title)
        return TypeAdapter(answer).validate_json(content)
