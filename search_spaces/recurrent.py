"""`recurrent`: what is worth trying for a recurrent network on most sequence data."""

from search_spaces.dimensions import Categorical, Float, Int
from search_spaces.space import SearchSpace

SPACE = SearchSpace(
    "recurrent",
    {
        "cell": Categorical(("lstm", "gru", "rnn_tanh")),
        "hidden_size": Int(16, 128, log=True),
        "num_layers": Int(1, 2),
        # k1 in time steps; None is full backpropagation through time.
        "tbptt_forward_steps": Categorical((None, 16, 64)),
        "input_dropout": Float(0.0, 0.3),
        "layer_dropout": Float(0.0, 0.5),
        "output_dropout": Float(0.0, 0.5),
        "learning_rate": Float(3e-4, 3e-2, log=True),
        "lr_decay_rate": Float(0.5, 1.0),
        "weight_decay": Float(1e-7, 1e-3, log=True),
        "clip_norm": Float(0.1, 10.0, log=True),
    },
)
