"""Texts as characters or words."""
