"""The lists of CONTRIBUTING.md name every file that a change of their kind has to touch."""

import re

import pytest

from tests.architecture.test_every_check import LISTS
from tests.docs.documents import ROOT

PAGE = (ROOT / "CONTRIBUTING.md").read_text()
FOLDERS = (
    "domain",
    "gateways",
    "activities",
    "workflows",
    "service",
    "console",
    "cli",
    "i18n",
    "simulator",
    "devtools",
)
KINDS = {".py", ".sql", ".toml"}


def section(heading: str) -> str:
    return PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def files_of(text: str) -> set[str]:
    """Those that it names."""
    return {span for span in re.findall(r"`([^`\n]+)`", text) if (ROOT / span).is_file()}


def knowing(sample: str) -> set[str]:
    """The product's files in which the sample occurs."""
    return {
        path.relative_to(ROOT).as_posix()
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.suffix in KINDS and re.search(sample, path.read_text())
    }


def test_whoever_adds_a_check_is_told_every_file_that_knows_the_one_there_is() -> None:
    found = knowing(r"\b(check_provider|provider_roles|ProviderRoles|PROVIDER_ROLES|Check\.PROVIDER)\b")
    assert len(found) > 5
    assert not found - files_of(section("Add a check"))


def steps_of_a_check() -> set[str]:
    """The files of the numbered list."""
    return files_of("".join(re.findall(r"^\d\. .*(?:\n {3}.*)*", section("Add a check"), re.MULTILINE)))


@pytest.mark.parametrize("file", sorted(steps_of_a_check() - {"CHANGELOG.md"}))
def test_each_step_of_adding_a_check_was_taken_for_the_one_there_is(file: str) -> None:
    assert re.search(
        r"check_icp_filing|icp_filings|icp_applications_ever|ICP_FILING|icp-filings|ICP filing",
        (ROOT / file).read_text(),
    ), file


def test_every_list_that_has_to_know_each_check_is_a_step_of_adding_one() -> None:
    assert {re.split("[:,]", place)[0] for place in LISTS} <= steps_of_a_check()


def test_a_check_is_added_in_at_most_fourteen_files() -> None:
    assert len(steps_of_a_check()) <= 14


def test_whoever_adds_a_phase_of_deletion_is_told_every_file_that_knows_the_one_there_is() -> None:
    found = knowing(r"\b(revoke_credentials|REVOKE_CREDENTIALS|revoke-credentials)\b")
    assert len(found) > 5
    assert not found - files_of(section("Add a phase"))


def test_a_release_takes_ten_lines() -> None:
    section = PAGE.split("\n## Release\n", 1)[1]
    assert [int(number) for number in re.findall(r"^(\d+)\. ", section, re.MULTILINE)] == list(range(1, 11))
