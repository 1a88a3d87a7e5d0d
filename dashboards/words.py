"""Texts in both languages the dashboards speak."""

from dataclasses import dataclass
from typing import Literal, get_args

Language = Literal["fr", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


@dataclass(frozen=True, slots=True)
class Words:
    """A text in French and in English."""

    fr: str
    en: str

    def said(self, language: Language) -> str:
        """The text in *language*."""
        return self.fr if language == "fr" else self.en
