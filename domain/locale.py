"""The languages of the notice, and of what the platform sends to owners."""

from enum import StrEnum


class Locale(StrEnum):
    """Pages and the command line may have more of them, see `i18n`: those need a catalogue, this one a legal text."""

    ZH = "zh-CN"
    EN = "en"

    @classmethod
    def nearest(cls, tag: str) -> "Locale":
        """For a reader of any language (BCP 47): Chinese for Chinese, else English."""
        return cls.ZH if tag.lower().startswith("zh") else cls.EN
