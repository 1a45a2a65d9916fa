"""`forecasting`: small networks, held back, for the next values of a series.

What forecasts best on real series is small and strongly regularised: large ones learn the training
part's weather by heart, which validation shows.
"""

from search_spaces.dimensions import Categorical, Float, Int
from search_spaces.space import SearchSpace

SPACE = SearchSpace(
    "forecasting",
    {
        "cell": Categorical(("lstm", "gru")),
        "hidden_size": Int(16, 48, log=True),
        "learning_rate": Float(5e-4, 5e-3, log=True),
        "output_dropout": Float(0.0, 0.5),
        "weight_decay": Float(1e-3, 1e-1, log=True),
    },
)
