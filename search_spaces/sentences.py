"""`sentences`: one class for a sentence or a short text; an embedding, then an LSTM or a GRU."""

from search_spaces.dimensions import Categorical, Float, Int
from search_spaces.space import SearchSpace

SPACE = SearchSpace(
    "sentences",
    {
        "cell": Categorical(("lstm", "gru")),
        "readout": Categorical(("last", "mean", "max")),
        "bidirectional": Categorical((True, False)),
        "embedding_size": Categorical((32, 64)),
        "hidden_size": Int(16, 64, log=True),
        "learning_rate": Float(1e-3, 1e-2, log=True),
        "embedding_dropout": Float(0.1, 0.6),
        "output_dropout": Float(0.0, 0.5),
        "weight_decay": Float(1e-4, 1e-1, log=True),
    },
)
