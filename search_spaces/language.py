"""`language`: the next character or word of a running text; what decides is regularisation.

Dropped recurrent weights (Merity et al. 2018) and dropped outputs.
"""

from search_spaces.dimensions import Categorical, Float
from search_spaces.space import SearchSpace

SPACE = SearchSpace(
    "language",
    {
        "hidden_size": Categorical((192, 256)),
        "learning_rate": Float(2e-3, 1e-2, log=True),
        "weight_drop": Float(0.0, 0.5),
        "output_dropout": Float(0.1, 0.5),
    },
)
