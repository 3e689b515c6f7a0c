"""The two languages of everything that people read."""

from enum import StrEnum


class Locale(StrEnum):
    ZH = "zh-CN"
    EN = "en"
