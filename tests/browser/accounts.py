"""Accounts for one test each."""

from itertools import count

from devtools.demo.stack import Stack
from simulator.edits import Value

_NUMBERS = count(1)


async def new_account(stack: Stack, **facts: Value) -> str:
    """An account with nothing in the way but what `facts` put there; see `simulator.edits.FIELDS`."""
    [account_id] = await stack.store.add_clean_accounts(f"browser-{next(_NUMBERS)}", 1)
    if facts:
        await stack.store.set_facts(account_id, **facts)
    return account_id
