"""Ways to run one recurrent layer over a segment; all agree in values and gradients.

A backend is a module with two functions: `applies_to(...) -> bool`, pure, and `run(...)`, whose
contract stands in `stepwise`, the reference.
"""
