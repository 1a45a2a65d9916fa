"""`classification`: one class for a whole sequence of numbers, from some hundred examples on."""

from search_spaces.dimensions import Categorical, Float, Int
from search_spaces.space import SearchSpace

SPACE = SearchSpace(
    "classification",
    {
        "cell": Categorical(("lstm", "gru")),
        "bidirectional": Categorical((True, False)),
        "hidden_size": Int(32, 96, log=True),
        "learning_rate": Float(2e-3, 1e-2, log=True),
        "input_dropout": Float(0.0, 0.4),
        "output_dropout": Float(0.2, 0.6),
    },
)
