"""The optimizers: what a step of each does to the flat rows of all trials."""
