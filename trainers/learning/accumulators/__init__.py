"""Sums that the metrics are made of: one segment's, of all its trials, in float64.

`trainers.config.metrics.Accumulator` says what comes in and goes out.
"""
