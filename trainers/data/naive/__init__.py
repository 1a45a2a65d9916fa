"""Naive forecasts: what anybody could say without a network, fitted on the training part."""
