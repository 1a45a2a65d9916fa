"""The same masked net in Keras 3 on its torch backend, in a process of its own.

Both train in this child, epoch by epoch, one thread; where Keras is missing nothing is measured.
"""

from __future__ import annotations

import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time

from tests.benchmarks.figures import Figure


def keras_ratio(epochs: int) -> list[Figure]:
    """Return how many times faster a masked epoch is here than in Keras."""
    if importlib.util.find_spec("keras") is None:
        return []
    environment = os.environ | {"KERAS_BACKEND": "torch", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tests.benchmarks.against_keras", str(epochs)]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout.splitlines()[-1])
    what = "masked, ragged LSTM epoch: speed against Keras 3 on torch, same masks"
    return [Figure(what, round(found.pop("ratio"), 2), "x", 3.0, "more", found)]


def main(epochs: int) -> None:
    import keras
    import torch

    from tests.benchmarks.hand_written import ragged_data
    from trainers.config.objective import Objective
    from trainers.config.train_config import TrainConfig
    from trainers.packs.pack import Pack

    torch.set_num_threads(1)
    data = ragged_data(512, 120, 8, masked=True)
    config = TrainConfig(readout="every", hidden_size=64, max_epochs=10_000)
    pack = Pack(config.structure(), data, Objective("loss", "minimize"))
    pack.admit(0, config)
    inputs = keras.Input((None, 8))
    mask = keras.Input((None,), dtype="bool")
    outputs = keras.layers.Dense(1)(keras.layers.LSTM(64, return_sequences=True)(inputs, mask=mask))
    model = keras.Model([inputs, mask], outputs)
    model.compile(keras.optimizers.Adam(1e-3), "mse")
    part = data.train
    assert part.input_mask is not None
    fed, weight = [part.inputs, part.input_mask], part.input_mask.astype("float32")
    ours, theirs = [], []
    for _ in range(epochs + 1):
        began = time.process_time()
        pack.train(0)
        middle = time.process_time()
        model.fit(fed, part.targets, batch_size=64, sample_weight=weight, epochs=1, verbose=0)
        ours.append(middle - began)
        theirs.append(time.process_time() - middle)
    seconds = statistics.median(ours[1:]), statistics.median(theirs[1:])
    shown = {"ours_ms": round(seconds[0] * 1e3), "keras_ms": round(seconds[1] * 1e3)}
    print(json.dumps({"ratio": seconds[1] / seconds[0], "keras": keras.__version__, **shown}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
