from collections.abc import Callable

import pytest

from tests.console.conftest import Console
from tests.console.owner.pages import Owner


@pytest.fixture
def owner_of(console: Console) -> Callable[[str], Owner]:
    """The browser of an account's owner, in English."""
    return lambda account_id: Owner(console.owner(account_id))
