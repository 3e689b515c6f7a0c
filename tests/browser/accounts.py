"""Accounts for one test each."""

from itertools import count

from demo.stack import Stack
from sandbox.edits import Value

_NUMBERS = count(1)


async def new_account(stack: Stack, **facts: Value) -> str:
    """An account with nothing in the way but what `facts` put there; see `sandbox.edits.FIELDS`."""
    [account_id] = await stack.store.add_clean_accounts(f"browser-{next(_NUMBERS)}", 1)
    if facts:
        await stack.store.set_facts(account_id, **facts)
    return account_id
