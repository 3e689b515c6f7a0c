"""Every answer that an activity gives on any recorded route, each kind of it once."""

import base64
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

from domain.checks import Check
from domain.phases import Phase
from tests.replay.record import HISTORIES
from tests.replay.routes import ROUTES
from workflows.common.search_attributes import CANCELLATION_PHASE

NOT_PLAYED = {
    "refused": "is about an account that all share",
    "unknown_upstream": "heals everybody's trouble",
    "terminated_and_picked_up": "heals everybody's trouble",
    "lapsed": "skips time",
    "overdue_then_rejected": "skips time",
    "past_the_ceiling": "skips time",
}
"""Routes that cannot be played beside others, or while an answer is held up, and why."""

MESSAGE = "notify"
"""The one activity that leads to nothing."""

Event = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """Of the `number`-th activity of its type in one workflow of a route.

    `phase` is where it came, `leads_to` the next activity or phase, and `outcome` the end of the route's request.
    """

    route: str
    activity: str
    number: int
    phase: str
    leads_to: str
    outcome: Phase

    def __str__(self) -> str:
        return f"{self.route}: {self.activity} {self.number}, {self.phase}, before {self.leads_to or 'nothing'}"


def recorded_answers(workflow: str) -> list[Answer]:
    """Of "cancellation", "review" or "deletion": one for each phase, activity, and what comes of it.

    The checks are one piece of code: they take turns in standing for each other.
    """
    alike: dict[object, list[Answer]] = {}
    for route in ROUTES:
        if route not in NOT_PLAYED and (history := HISTORIES / f"{route}.{workflow}.json").exists():
            outcome = Phase([*_phases(_events(HISTORIES / f"{route}.cancellation.json"))][-1])
            for answer in _answers(route, outcome, _events(history)):
                kind = answer.activity.partition("_")[0] if answer.activity in _CHECKS else answer.activity
                alike.setdefault((answer.phase, kind, answer.leads_to), []).append(answer)
    turns = cycle(range(len(_CHECKS)))
    return [answers[next(turns) if answers[0].activity in _CHECKS else 0] for answers in alike.values()]


_CHECKS = frozenset(f"check_{check.lower()}" for check in Check)


def _events(path: Path) -> list[Event]:
    """Each with its attributes alone, whatever its type."""
    return [
        {"type": event["eventType"].removeprefix("EVENT_TYPE_"), "id": event["eventId"]}
        | next((value for name, value in event.items() if name.endswith("EventAttributes")), {})
        for event in json.loads(path.read_text())["history"]["events"]
    ]


def _answers(route: str, outcome: Phase, events: list[Event]) -> Iterator[Answer]:
    scheduled: dict[str, tuple[str, int, int]] = {}
    numbers: Counter[str] = Counter()
    phase, agreed = Phase.OPENING.value, ""
    for index, event in enumerate(events):
        for shown in _phases([event]):
            # An approval is another word to seal an account by than what its owner has confirmed.
            agreed = "approved, " if (phase, shown) == (Phase.UNDER_REVIEW, Phase.SEALING) else ""
            phase = shown
        if event["type"] == "ACTIVITY_TASK_SCHEDULED":
            activity = event["activityType"]["name"]
            numbers[activity] += 1
            scheduled[event["id"]] = activity, numbers[activity], int(event["workflowTaskCompletedEventId"])
        elif event["type"] == "ACTIVITY_TASK_COMPLETED":
            activity, number, task = scheduled[event["scheduledEventId"]]
            leads_to = "" if activity == MESSAGE else _next(events[index:], task)
            yield Answer(route, activity, number, agreed + phase, leads_to, outcome)


def _next(events: list[Event], task: int) -> str:
    """What follows first that was not decided along with the activity itself."""
    for event in events:
        if phases := _phases([event]):
            return phases[0]
        if event["type"] == "ACTIVITY_TASK_SCHEDULED" and int(event["workflowTaskCompletedEventId"]) > task:
            activity: str = event["activityType"]["name"]
            if activity != MESSAGE:
                return activity
    return ""


def _phases(events: list[Event]) -> list[str]:
    """Those that were shown, in order. An attribute that was taken back has no data."""
    shown = [event["searchAttributes"]["indexedFields"] for event in events if event["type"].startswith("UPSERT")]
    payloads = [fields.get(CANCELLATION_PHASE.name, {}).get("data") for fields in shown]
    return [json.loads(base64.b64decode(data)) for data in payloads if data]
