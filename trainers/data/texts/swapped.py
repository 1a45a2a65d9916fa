"""Texts and labels that lie in each other's place: what they look like."""

from __future__ import annotations

from collections.abc import Sequence


def looks_swapped(texts: Sequence[str], labels: Sequence[str]) -> bool:
    """Whether labels look like texts and texts like labels.

    Texts come again and again where labels don't: nearly every label is another one, or labels
    have several times as many words.
    """
    few, many = len(set(texts)), len(set(labels))
    if few > many:
        return False
    mostly_distinct = few < many and 2 * many > len(labels)
    return mostly_distinct or _words(labels) >= max(3, 2 * _words(texts))


def _words(texts: Sequence[str]) -> float:
    """Mean number of words."""
    return sum(len(text.split()) for text in texts) / max(len(texts), 1)
