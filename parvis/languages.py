"""The languages a town can speak to its residents, by their BCP 47 tags. French first: it prevails."""

from typing import Literal, get_args

Language = Literal["fr", "en", "es", "pt", "ar", "uk", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

OWN_NAMES: dict[Language, str] = {
    "fr": "Français",
    "en": "English",
    "es": "Español",
    "pt": "Português",
    "ar": "العربية",
    "uk": "Українська",
    "zh": "中文",
}
"""How each language calls itself: a reader finds his own without reading ours."""

RIGHT_TO_LEFT = frozenset({"ar"})
