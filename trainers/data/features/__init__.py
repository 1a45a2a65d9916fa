"""Columns of a table as features of a network, alike for series and for sequences."""
