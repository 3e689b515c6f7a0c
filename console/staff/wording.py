"""What the parts of the queue are called."""

from typing import Final

from i18n.catalogue import N_
from i18n.texts import Text, translated
from service.queue import BucketKind

_BUCKETS: Final[dict[BucketKind, Text]] = {
    BucketKind.LATE: Text(N_("Late"), N_("Past the deadline that the owner was promised: decide these now.")),
    BucketKind.CLOCK_NOT_SET: Text(
        N_("Clock not yet set"), N_("Normal for a moment after a filing; tell operations if a ticket stays here.")
    ),
    BucketKind.DUE: Text(N_("Due in the coming days")),
    BucketKind.LATER: Text(N_("Due later")),
    BucketKind.AWAITING_MATERIALS: Text(
        N_("Awaiting materials"), N_("The clock stands still until the owner has supplied them.")
    ),
}


def bucket_words(kind: BucketKind, locale: str) -> Text:
    return translated(_BUCKETS[kind], locale)
