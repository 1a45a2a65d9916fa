"""`smoke`: a tiny space whose trials take a moment; to see that everything works."""

from search_spaces.dimensions import Categorical, Float
from search_spaces.space import SearchSpace

SPACE = SearchSpace(
    "smoke",
    {
        "cell": Categorical(("lstm", "rnn_tanh")),
        "hidden_size": Categorical((4, 8)),
        "learning_rate": Float(1e-3, 1e-1, log=True),
    },
)
