"""Whole sequences: from tables, one file each, or the formats of the field."""
