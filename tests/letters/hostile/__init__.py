"""Files made to harm whoever opens them, by name. Each is built when it is asked for; none is larger than an upload."""

from collections.abc import Callable

from tests.letters.hostile import active, content, damage, filters, pictures, structure

HOSTILE: dict[str, Callable[[], bytes]] = {
    f"{module.__name__.rpartition('.')[2]}: {name}": build
    for module in (filters, pictures, structure, content, active, damage)
    for name, build in module.FILES.items()
}

HARMLESS_ONCE_DRAWN = {f"active: {name}" for name in active.FILES}
"""What makes a reader's program do something and draws a page besides: it is taken, and only the page is left of it."""
