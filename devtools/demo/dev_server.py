"""How the dev server is started, by the stack and by the tests alike."""

_SETTINGS = {
    # Off by default: lets the demo and the tests move the clock of one workflow.
    "frontend.WorkflowTimeSkippingEnabled": "true",
    # By default each skipped timer costs a second of real time.
    "history.timerProcessorMaxTimeShift": '"5ms"',
    # By default 20 reads a second and shard: every hop from one step to the next would wait for a grid of 50 ms.
    "history.transferProcessorMaxPollRPS": "2000",
    "history.timerProcessorMaxPollRPS": "2000",
    # Lists and counts a second; by default 10, and one look at the staff's queue takes eight.
    "frontend.namespaceRPS.visibility": "100",
}


def dynamic_config(**further: str) -> list[str]:
    """The server's flags; `further` settings are by name, with `__` for each dot."""
    settings = _SETTINGS | {name.replace("__", "."): value for name, value in further.items()}
    return [part for name, value in settings.items() for part in ("--dynamic-config-value", f"{name}={value}")]
