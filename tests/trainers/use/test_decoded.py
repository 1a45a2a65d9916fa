"""An encoder-decoder in use: on tables, in requests, stepped, kept in a folder, exported."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from sweep.models.forecasts import forecast_file
from sweep.models.prediction import predict_file
from sweep.search.space import training_defaults
from tests.trainers.factory import ACCURACY, RMSE, admitted, finish
from tests.trainers.forecast_factory import decoding, forecast_data
from tests.trainers.trained_series import ROWS, TEST, Trained, table
from trainers.config.fitting import with_decoder
from trainers.config.train_config import TrainConfig
from trainers.data import load_data
from trainers.data.interface import Interface
from trainers.errors import ConfigError, DataError
from trainers.learning.checkpoint import read_checkpoint
from trainers.packs.pack import pack_of_checkpoint
from trainers.use.export import export_checkpoint
from trainers.use.forecasting import Horizon
from trainers.use.inference import Network
from trainers.use.onnx_export import as_onnx
from trainers.use.portable import PortableModel
from trainers.use.stepping import SteppedModel
from trainers.use.streaming import StreamingModel

HORIZON = 3
DECODER = {"architecture": "encoder_decoder", "teacher_forcing": 0.5, "learning_rate": 0.02}
KNOWN = {
    "time_column": "time", "missing": "mask", "output_steps": HORIZON, "calendar": True,
    "time_zone": "Europe/Berlin", "known_ahead": ["kind"],
}  # fmt: skip


def reported(trained: Trained, predicted: pd.DataFrame, frame: pd.DataFrame) -> float:
    """The error of the predictions whose windows have all their targets in the test part."""
    times = frame["time"].tolist()
    place = predicted["time"].iloc[::HORIZON].map({time: n for n, time in enumerate(times)})
    whole = ((place >= TEST) & (place <= ROWS - HORIZON)).repeat(HORIZON).to_numpy()
    joined = predicted[whole].merge(frame[["time", "load"]], on="time").dropna()
    return math.sqrt(((joined["load"] - joined["load_predicted"]) ** 2).mean())


@pytest.mark.parametrize(
    "options",
    [
        KNOWN,
        {**KNOWN, "calendar": False, "holidays": "DE", "steps_ahead": 2},
        {**KNOWN, "inputs": ["temp"], "known_ahead": []},
    ],
    ids=["categories and calendar", "holidays, a row left out", "without the target's past"],
)
def test_predictions_of_a_file_have_the_reported_error(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    frame = table()
    trained = Trained(tmp_path, frame, DECODER, **options)
    found = reported(trained, trained.predicted(), frame)
    assert found == pytest.approx(trained.test["rmse"], rel=1e-6)


def test_a_forecast_beyond_the_file_follows_the_calendar(tmp_path: Path) -> None:
    """The last window's answers do not depend on whether later rows are in the file."""
    options = {**KNOWN, "known_ahead": []}
    trained = Trained(tmp_path, table(), DECODER, **options)
    whole = trained.predicted()
    beyond = trained.predicted(table().iloc[: ROWS - 20], last=True)
    same = whole.merge(beyond, on=["time", "step"])
    assert len(same) == len(beyond) == HORIZON
    np.testing.assert_allclose(same["load_predicted_x"], same["load_predicted_y"], rtol=1e-6)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return Trained(tmp_path_factory.mktemp("known"), table(), DECODER, **KNOWN)


def request(row: int) -> list[dict[str, Any]]:
    """The steps of the window that ends in a row, as a client sends them."""
    frame, steps = table(), []
    for at in range(row - 4, row + 1):
        values = frame.iloc[at].to_dict()
        values |= {f"kind+{n}": frame["kind"][at + n] for n in range(1, HORIZON + 1)}
        steps.append({name: None if value != value else value for name, value in values.items()})
    return steps


def test_a_request_is_answered_as_the_window_of_the_file(known: Trained) -> None:
    row = 100
    (answer,) = known.model.predict([{"steps": request(row)}])
    assert list(answer) == ["load+1", "load+2", "load+3"]
    predicted = known.predicted(table())
    at = predicted["time"].eq(table()["time"][row + 1]) & predicted["step"].eq(1)
    first = int(np.flatnonzero(at)[0])
    expected = predicted["load_predicted"].iloc[first : first + HORIZON]
    np.testing.assert_allclose(list(answer.values()), expected, rtol=1e-6)


def test_steps_with_a_state_in_hand_end_in_the_same_answer(known: Trained) -> None:
    steps = request(100)
    (whole,) = known.model.predict([{"steps": steps}])
    (first,) = known.model.predict([{"steps": steps[:2], "state": ""}])
    (then,) = known.model.predict([{"steps": steps[2:], "state": first["state"]}])
    np.testing.assert_allclose([then[n][-1] for n in whole], list(whole.values()), rtol=1e-5)
    stepped = SteppedModel(known.model).step([request(90)])
    assert stepped.shape == (1, 5, HORIZON)


def test_a_folder_holds_the_whole_of_it(known: Trained, tmp_path: Path) -> None:
    known.model.write(tmp_path)
    record = [{"steps": request(100)}]
    assert PortableModel.read(tmp_path).predict(record) == known.model.predict(record)


def test_what_is_known_ahead_is_asked_for(tmp_path: Path) -> None:
    data = forecast_data()
    admitted(decoding(data, max_epochs=1), data).save(0, tmp_path / "trial")
    saved = read_checkpoint(tmp_path / "trial")
    x = np.zeros((7, 3), dtype=np.float32)
    with pytest.raises(DataError, match="needs what is known ahead of each of its 4 steps"):
        Network(saved).outputs([x], [np.ones(7, bool)])
    with pytest.raises(DataError, match=r"needs what is known ahead of its forecast, \(1, 1, 4, 3"):
        StreamingModel(saved).step(torch.zeros(1, 3))


def test_coming_steps_are_forecast_horizon_by_horizon(tmp_path: Path) -> None:
    """Four steps of horizons of three: the first three are those of `last`, the rest goes on."""
    trained = Trained(
        tmp_path, table(), DECODER, **{**KNOWN, "known_ahead": [], "inputs": ["load"]}
    )
    frame = table().iloc[: ROWS - 20]
    frame = frame.assign(load=frame["load"].ffill())
    last = trained.predicted(frame, last=True)
    coming = pd.DataFrame(forecast_file(trained.model, trained.path, Horizon(4)))
    assert coming["time"].tolist()[:3] == last["time"].tolist()
    np.testing.assert_allclose(coming["load_predicted"][:3], last["load_predicted"], rtol=1e-6)
    assert math.isfinite(coming["load_predicted"][3])


def test_an_onnx_file_is_refused_in_one_line(known: Trained) -> None:
    with pytest.raises(ConfigError, match="without a decoder"):
        as_onnx(known.model)


@pytest.mark.parametrize("ahead", [0, 3])
@pytest.mark.parametrize("cell", ["gru", "lstm"])
@pytest.mark.parametrize("sizes", [4, (4, 6)], ids=str)
def test_stepped_whole_and_exported_networks_agree(
    tmp_path: Path, ahead: int, cell: str, sizes: Any
) -> None:
    data = forecast_data("prefix", ahead=ahead)
    config = decoding(data, cell=cell, hidden_size=sizes, head_sizes=(5,), stem="dense")
    pack = admitted(config, data)
    pack.train(0)
    pack.save(0, tmp_path / "trial")
    answers = pack_of_checkpoint(tmp_path / "trial", data, RMSE).answers(0, "train").outputs
    part, lengths = data.train, data.train.input_mask.sum(axis=1)
    inputs = torch.from_numpy(np.nan_to_num(part.inputs))
    known = None if part.ahead is None else torch.from_numpy(part.ahead)
    network = export_checkpoint(tmp_path / "trial")
    exported = network(inputs, torch.from_numpy(lengths), known).detach()
    np.testing.assert_allclose(exported, answers, rtol=1e-9, atol=1e-12)
    for row in range(3):
        model = StreamingModel.from_checkpoint(tmp_path / "trial")
        for step in range(lengths[row]):
            own = None if known is None else known[row : row + 1]
            answer = model.step(inputs[row : row + 1, step], own)
        np.testing.assert_allclose(answer[0], answers[row], rtol=1e-9, atol=1e-12)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Texts that are answered by texts: reversed, in capitals."""
    folder = tmp_path_factory.mktemp("pairs")
    random = np.random.default_rng(0)
    texts = ["".join(random.choice(list("abc"), random.integers(1, 5))) for _ in range(600)]
    lines = [f"{text}\t{text[::-1].upper()}" for text in texts]
    (folder / "a.txt").write_text("\n".join(lines))
    data = load_data("pairs", {"path": "a.txt"}, base_dir=folder)
    settings = {
        **training_defaults(data), "cell": "gru", "hidden_size": 32, "batch_size": 32,
        "max_epochs": 12, "learning_rate": 0.02,
    }  # fmt: skip
    pack = admitted(TrainConfig(**with_decoder(settings, data)), data, ACCURACY)
    finish(pack)
    pack.save(0, folder / "trial")
    interface = Interface.from_dict(json.loads(json.dumps(Interface.of(data).to_dict())))
    return folder, pack, PortableModel.from_checkpoint(folder / "trial", interface)


def test_a_file_of_texts_is_answered_with_texts(trained: Any) -> None:
    folder, pack, model = trained
    (folder / "asked.txt").write_text("ab\nc\nacb\tBCA\n")
    rows = predict_file(model, folder / "asked.txt")
    assert rows == [
        {"line": 1, "answer": "BA"}, {"line": 2, "answer": "C"}, {"line": 3, "answer": "BCA"},
    ]  # fmt: skip
    assert pack.evaluate(0, "test")["accuracy"] > 0.9


def test_answers_of_the_test_part_are_those_of_its_evaluation(trained: Any) -> None:
    _, pack, model = trained
    part, interface = pack._parts.data.test, model.interface
    answers = pack.answers(0, "test")
    for row in range(len(part)):
        ids = part.inputs[row] if part.input_mask is None else part.inputs[row][
            part.input_mask[row]]  # fmt: skip
        (said,) = model.predict([{"text": "".join(interface.tokens[i] for i in ids)}])
        own = answers.outputs[answers.rows == row].argmax(axis=1)
        names = [interface.outputs[i] for i in own]
        kept = names[: names.index("<end>")] if "<end>" in names else names
        assert said["answer"].startswith("".join(kept))


def test_it_is_kept_in_a_folder_and_asked_whole(trained: Any, tmp_path: Path) -> None:
    _, _, model = trained
    model.write(tmp_path)
    again = PortableModel.read(tmp_path)
    records = [{"text": "abca"}, {"ids": [2, 3]}]
    assert again.predict(records) == model.predict(records)
    with pytest.raises(ConfigError, match="answers whole sequences"):
        again.predict([{"text": "ab", "state": ""}])
    with pytest.raises(ConfigError, match="answers of their own length"):
        export_checkpoint(trained[0] / "trial")
