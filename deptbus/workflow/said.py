"""A sentence in two languages."""

from typing import NamedTuple


class Said(NamedTuple):
    """The same in Chinese and in English."""

    zh: str
    en: str

    def in_(self, lang: str) -> str:
        """In the reader's language: ``zh`` or ``en``."""
        return self.zh if lang == "zh" else self.en
