"""Whatever has to know each check knows each: the message names the file to mend."""

import re
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
import yaml

from devtools.benchmarks.instant import nothing
from domain.checks import REMEDIES, RULES, WAIVABLE, Check, CheckOutcome, Figure, Reason, Verdict
from domain.locale import Locale
from gateways.contract import READS
from i18n.texts import text
from simulator import facts
from simulator.kinds import Endpoint
from simulator.seeds import SEEDS
from simulator.settings import Settings
from simulator.state import Simulator
from tests.domain.test_checks import OUTCOMES_OF

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def reasons_of(check: Check) -> list[Reason]:
    return [reason for reason in Reason if reason.startswith(f"{check}_")]


def passed(check: Check) -> CheckOutcome:
    return RULES[check].judge(nothing(check), NOW)


@cache
def served() -> set[str]:
    """The paths of the contract as it is committed."""
    return set(yaml.safe_load((ROOT / "docs/platform-contract.yaml").read_text())["paths"])


def documented() -> dict[str, bool]:
    """The functions that the table of the conditions names, and whether it says that a ticket may waive the check."""
    row = re.compile(r"^\|.*\| (yes|no) \| `domain/checks\.py::(\w+)` \|$", re.MULTILINE)
    return {function: said == "yes" for said, function in row.findall((ROOT / "docs/process.md").read_text())}


LISTS: dict[str, Collection[Check]] = {
    "domain/checks.py: RULES": RULES,
    "domain/checks.py: a Reason that begins with its name": [check for check in Check if reasons_of(check)],
    "domain/checks.py: REMEDIES for its reasons": [c for c in Check if set(reasons_of(c)) <= REMEDIES.keys()],
    "gateways/contract.py: READS": READS,
    "simulator/kinds.py: an Endpoint named as its path": [c for c, read in READS.items() if read.path in set(Endpoint)],
    "simulator/facts.py: a function that answers": facts.FACTS,
    "docs/platform-contract.yaml, by python -m tests.simulator.contract_document": [
        check for check, read in READS.items() if f"/accounts/{{account_id}}/{read.path}" in served()
    ],
    "docs/process.md: a row of the conditions": [c for c, r in RULES.items() if r.judge.__name__ in documented()],
    "tests/domain/test_checks.py: OUTCOMES_OF": OUTCOMES_OF,
}


@pytest.mark.parametrize("place", LISTS)
@pytest.mark.parametrize("check", Check)
def test_every_list_knows_every_check(check: Check, place: str) -> None:
    assert check in LISTS[place], f"{check} is missing in {place}"


@pytest.mark.parametrize("locale", Locale)
@pytest.mark.parametrize("check", Check)
def test_every_check_has_words_for_itself_its_figures_and_what_to_do(check: Check, locale: Locale) -> None:
    codes: list[Check | Figure | Reason] = [check, *passed(check).figures, *reasons_of(check)]
    try:
        words = {code: text(code, locale) for code in codes}
    except KeyError as missing:
        pytest.fail(f"{missing} is missing in i18n/texts.py")
    assert all(words[reason].advice for reason in reasons_of(check)), "i18n/texts.py: what to do about a reason"


@pytest.mark.parametrize("check", Check)
def test_an_account_that_has_none_of_it_passes(check: Check) -> None:
    assert (passed(check).check, passed(check).verdict) == (check, Verdict.PASSED), "domain/checks.py: RULES"


@pytest.mark.parametrize("check", Check)
def test_the_table_of_the_conditions_says_what_a_ticket_may_waive(check: Check) -> None:
    said = documented()[RULES[check].judge.__name__]
    assert said == (check in WAIVABLE), f"docs/process.md: whether a ticket may waive {check}"


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    simulator = Simulator(Settings(database_url=str(tmp_path_factory.mktemp("seeds") / "platform.db")))
    yield simulator
    simulator.db.close()


def blocks(platform: Simulator, account_id: str) -> set[Check]:
    read = {check: answer(account_id, platform) for check, answer in facts.FACTS.items()}
    return {check for check, answer in read.items() if RULES[check].judge(answer, NOW).verdict is Verdict.BLOCKED}


@pytest.mark.parametrize("check", Check)
def test_the_simulator_has_an_account_that_stands_for_it_and_one_that_has_everything(
    platform: Simulator, check: Check
) -> None:
    assert check in blocks(platform, "acct-everything"), f"simulator/seeds.toml: {check} of acct-everything"
    assert {check} in [blocks(platform, seed.id) for seed in SEEDS], f"simulator/seeds.toml: an account with {check}"
