"""What a catalogue is."""

from collections.abc import Mapping

Messages = Mapping[str, str | Mapping[str, str]]
"""Key -> the message, or one for each plural category of the language ("=2": for that very number; "money": for an amount)."""
