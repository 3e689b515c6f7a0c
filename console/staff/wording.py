"""What the parts of the queue are called."""

from typing import Final

from domain.locale import Locale
from i18n.texts import Text
from service.queue import BucketKind

_BUCKETS: Final[dict[BucketKind, tuple[Text, Text]]] = {
    BucketKind.LATE: (
        Text("已超期", "已超过对用户承诺的期限，请立即处理。"),
        Text("Late", "Past the deadline that the owner was promised: decide these now."),
    ),
    BucketKind.CLOCK_NOT_SET: (
        Text("尚未计时", "刚提交的工单会在片刻后开始计时；若持续停留在此，请通知运维。"),
        Text("Clock not yet set", "Normal for a moment after a filing; tell operations if a ticket stays here."),
    ),
    BucketKind.DUE: (Text("按日到期"), Text("Due in the coming days")),
    BucketKind.LATER: (Text("更晚到期"), Text("Due later")),
    BucketKind.AWAITING_MATERIALS: (
        Text("待补充材料", "计时暂停，等待用户补充材料。"),
        Text("Awaiting materials", "The clock stands still until the owner has supplied them."),
    ),
}


def bucket_words(kind: BucketKind, locale: Locale) -> Text:
    zh, en = _BUCKETS[kind]
    return zh if locale is Locale.ZH else en
