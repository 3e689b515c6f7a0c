"""What runs elsewhere is what `.ci/run` runs: before a commit, and on every supported Python."""

import re
import tomllib

import yaml

from tests.deploy.compose import ROOT

CI = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())


def test_the_hooks_are_the_targets_of_ci_and_download_nothing() -> None:
    [command] = re.findall(r"^make (?:--\S+ )*(.+)$", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    [repo] = HOOKS["repos"]
    assert repo["repo"] == "local"
    assert [hook["entry"] for hook in repo["hooks"]] == [f"make {target}" for target in command.split()]


def test_ci_runs_it_on_every_python_from_the_oldest_supported_one() -> None:
    [job] = CI["jobs"].values()
    versions = job["strategy"]["matrix"]["python"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == f">={versions[0]}"
    assert versions == [f"3.{minor}" for minor in range(11, 11 + len(versions))]
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]


def test_actions_are_pinned_by_their_major_version() -> None:
    [job] = CI["jobs"].values()
    used = [step["uses"] for step in job["steps"] if "uses" in step]
    assert used
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@v\d+", action) for action in used)
