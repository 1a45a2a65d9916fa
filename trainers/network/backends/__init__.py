"""Ways to run one recurrent layer over a segment; all agree in values and gradients.

A backend is a module with two functions: `applies_to(...) -> bool`, pure, and `run(layer)`, as
`contract` says. `stepwise` is the reference.
"""
