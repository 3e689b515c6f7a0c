"""Rules of the house that no type checker holds: what is registered, what may destroy, what every call carries."""

import ast
import inspect
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from temporalio import activity, workflow

import activities
from activities import all_activities
from activities.deletion import DeletionActivities
from activities.eligibility import check_activity
from domain.business_calendar import CALENDAR
from domain.checks import Check
from domain.model import Model
from workflows import WORKFLOWS, MessageDelivery

ROOT = Path(__file__).parents[2]
SERVICE = ("domain", "gateways", "activities", "workflows", "runtime", "i18n", "service", "cli", "console")
PACKAGES = (*SERVICE, "simulator", "devtools")
ABOVE_ACTIVITIES = ("workflows", "runtime", "i18n", "service", "cli", "console")
CALLS = {
    "execute_activity_method",
    "start_activity_method",
    "execute_activity",
    "execute_child_workflow",
    "start_child_workflow",
}


# Parsed before any test has run: garbage that is collected meanwhile makes CPython 3.11 fail (python/cpython#106905).
_TREES = {
    package: [(path, ast.parse(path.read_text())) for path in sorted((ROOT / package).rglob("*.py"))]
    for package in PACKAGES
}


def sources(*packages: str) -> Iterator[tuple[Path, ast.Module]]:
    for package in packages:
        yield from _TREES[package]


def decorated(package: str, decorator: str) -> set[str]:
    """Names of the functions or classes in a package that carry a decorator such as `activity.defn`."""
    found = set()
    for _, tree in sources(package):
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                texts = {ast.unparse(d).split("(")[0] for d in node.decorator_list}
                if decorator in texts:
                    found.add(node.name)
    return found


def registered() -> list[Any]:
    nothing: Any = None
    return all_activities(nothing, nothing, CALENDAR)


def name_of(method: Any) -> str:
    return str(activity._Definition.must_from_callable(method).name)


def test_every_activity_is_registered() -> None:
    names = {name_of(method) for method in registered()}
    # One function stands for every check.
    checks = {check_activity(check) for check in Check}
    assert checks <= names
    assert names - checks == decorated("activities", "activity.defn") - {"run_check"}


def test_every_workflow_is_registered() -> None:
    assert {found.__name__ for found in WORKFLOWS} == decorated("workflows", "workflow.defn")


@pytest.mark.parametrize("method", registered(), ids=name_of)
def test_an_activity_takes_one_model_and_answers_one(method: Any) -> None:
    hints = typing.get_type_hints(method)
    parameters = list(inspect.signature(method).parameters)
    assert len(parameters) == 1
    for model, name in (hints[parameters[0]], "Input"), (hints["return"], "Result"):
        assert issubclass(model, Model)
        assert model.__name__.endswith(name) or not model.__module__.startswith("activities.")


@pytest.mark.parametrize("cls", WORKFLOWS, ids=lambda cls: cls.__name__)
def test_a_workflow_and_its_messages_take_one_model_and_answer_one(cls: type) -> None:
    definition = workflow._Definition.must_from_class(cls)
    handlers: dict[str | None, Any] = {**definition.signals, **definition.updates}
    # A message on its way is told nothing more.
    assert bool(handlers) == (cls is not MessageDelivery)
    for name, handler in handlers.items():
        assert name is not None, "there is no dynamic handler"
        assert handler.arg_types is not None
        assert len(handler.arg_types) == 1, name
        assert issubclass(handler.arg_types[0], Model), name
    assert definition.arg_types is not None
    [start] = definition.arg_types
    assert all(issubclass(model, BaseModel) for model in typing.get_args(start) or [start])
    assert definition.ret_type is not None
    # Yes or no needs no model.
    assert issubclass(definition.ret_type, Model | bool)


DELETION = "workflows/account_deletion.py"
DESTRUCTIVE = {name for name in vars(DeletionActivities) if not name.startswith("_")}


def files_with(*packages: str, found: Callable[[ast.AST], bool]) -> set[str]:
    """The files in which a node of the kind is found."""
    return {
        path.relative_to(ROOT).as_posix() for path, tree in sources(*packages) for node in ast.walk(tree) if found(node)
    }


def test_only_account_deletion_can_destroy() -> None:
    assert {"purge_resources", "erase_personal_data"} <= DESTRUCTIVE

    def is_used(node: ast.AST) -> bool:
        return isinstance(node, ast.Attribute) and node.attr in DESTRUCTIVE

    assert files_with(*PACKAGES, found=is_used) == {DELETION}


def test_only_account_deletion_knows_what_destroys() -> None:
    def is_known(node: ast.AST) -> bool:
        by_module = isinstance(node, ast.Import) and any(name.name == "activities.deletion" for name in node.names)
        imported = {name.name for name in node.names} if isinstance(node, ast.ImportFrom) else set()
        from_package = isinstance(node, ast.ImportFrom) and node.module == "activities" and "deletion" in imported
        # How long an attempt watches long work is no way to begin any.
        harmless = imported <= {"POLLED_FOR"}
        from_module = isinstance(node, ast.ImportFrom) and node.module == "activities.deletion" and not harmless
        return by_module or from_package or from_module

    assert files_with(*ABOVE_ACTIVITIES, found=is_known) == {DELETION}


def test_nothing_destructive_is_called_by_its_name() -> None:
    def is_named(node: ast.AST) -> bool:
        return isinstance(node, ast.Constant) and node.value in DESTRUCTIVE

    assert files_with(*ABOVE_ACTIVITIES, found=is_named) == set()


def test_only_the_activities_of_deletion_have_the_platform_destroy() -> None:
    def is_asked_for(node: ast.AST) -> bool:
        return isinstance(node, ast.Attribute) and node.attr == "run_closure_phase"

    assert files_with(*SERVICE, found=is_asked_for) == {"activities/deletion.py"}


def test_only_a_request_starts_a_deletion() -> None:
    def is_start(node: ast.AST) -> bool:
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
            return False
        starts = node.func.attr in {"start_child_workflow", "execute_child_workflow", "start_workflow"}
        return starts and "AccountDeletion" in ast.unparse(node.args[0])

    assert files_with(*SERVICE, found=is_start) == {"workflows/account_cancellation/deletion_following.py"}


def calls_in_workflows() -> list[tuple[str, ast.Call]]:
    return [
        (f"{path.name}:{node.lineno}", node)
        for path, tree in sources("workflows")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CALLS
    ]


def test_every_call_of_an_activity_has_timeout_retry_policy_and_summary() -> None:
    found = 0
    for where, call in calls_in_workflows():
        assert isinstance(call.func, ast.Attribute)
        keywords = {keyword.arg for keyword in call.keywords}
        assert "args" not in keywords, f"{where}: one model, never a list of arguments"
        if "activity" in call.func.attr:
            found += 1
            # `**OPTIONS` (keyword None) is one of the named sets, which have both.
            assert None in keywords or {"start_to_close_timeout", "retry_policy"} <= keywords, where
            assert "summary" in keywords, where
        else:
            assert {"id", "parent_close_policy", "static_summary"} <= keywords, where
    assert found >= 10, "the search itself works"


def test_every_timer_has_a_summary_and_ends_alike_on_every_python() -> None:
    """`asyncio.wait_for`, and what rests on it, cancels its timer at another moment since Python 3.12.

    A history of the one would not replay on the other: `workflows.common.waiting` is the one way to wait with a limit.
    """
    for path, tree in sources("workflows"):
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            keywords, where = {keyword.arg for keyword in node.keywords}, f"{path.name}:{node.lineno}"
            if node.func.attr == "sleep":
                assert "summary" in keywords, where
            assert node.func.attr not in ("wait_for", "timeout", "timeout_at"), where
            assert node.func.attr != "wait_condition" or "timeout" not in keywords, where


def test_no_validator_changes_the_workflow() -> None:
    """The SDK does not stop one that does, and it is not replayed."""
    validators = [
        node
        for _, tree in sources("workflows")
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and any(ast.unparse(d).endswith(".validator") for d in node.decorator_list)
    ]
    assert len(validators) >= 9
    for validator in validators:
        assert not any(
            isinstance(node, ast.Assign | ast.AugAssign)
            and "self." in ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target)
            for node in ast.walk(validator)
        ), validator.name


def test_the_worker_is_a_composition_root_and_knows_no_pretend_platform() -> None:
    text = (ROOT / "worker.py").read_text()
    assert len(text.splitlines()) < 100
    assert "simulator." not in text


def test_activities_is_the_package_that_was_read() -> None:
    assert Path(activities.__file__ or "").is_relative_to(ROOT)
