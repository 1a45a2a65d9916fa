"""A model stepped in the data's own terms."""

import numpy as np
import pytest

from tests.trainers.portable_factory import RAW, characters, regression, trained
from trainers.errors import ConfigError, DataError
from trainers.use.stepping import SteppedModel


@pytest.fixture
def model(tmp_path):
    return trained(tmp_path, regression(), readout="every", cell="gru")[1]


def test_steps_give_what_the_whole_sequence_gives(model):
    stepped = SteppedModel(model)
    assert (stepped.inputs, stepped.outputs) == (("load", "price"), ("load",))
    whole = np.array(model.predict([{"steps": RAW[0]}])[0]["load"])
    one_by_one = np.array([stepped.step(RAW[:1, t])[0, 0] for t in range(6)])
    np.testing.assert_allclose(one_by_one, whole, rtol=1e-6)
    stepped.clear_state()
    together = stepped.step(RAW[:1])
    assert together.shape == (1, 6, 1)
    np.testing.assert_allclose(together[0, :, 0], whole, rtol=1e-6)


def test_a_state_is_taken_out_and_put_back(model, tmp_path):
    stepped = SteppedModel(model)
    stepped.step(RAW[:2, :3])
    (hidden,) = stepped.get_state(0)
    stepped.save_state(tmp_path / "state")
    expected = stepped.step(RAW[:2, 3])
    for put_back in (
        lambda: stepped.set_state(0, [hidden]),
        lambda: stepped.load_state(tmp_path / "state"),
    ):
        stepped.clear_state()
        assert stepped.get_state(0) is None
        put_back()
        np.testing.assert_array_equal(stepped.step(RAW[:2, 3]), expected)


def test_a_text_is_stepped_token_by_token(tmp_path):
    _, _, model = characters(tmp_path)
    stepped = SteppedModel(model)
    whole = stepped.step("abac")
    assert whole.shape == (1, 4, 4)
    np.testing.assert_allclose(whole.sum(axis=-1), 1)
    stepped.clear_state()
    by_ids = [stepped.step([token]) for token in (1, 2, 1, 3)]
    np.testing.assert_allclose(np.stack(by_ids, axis=1), whole, rtol=1e-6)


def test_steps_that_do_not_fit_are_one_line(model, tmp_path):
    stepped = SteppedModel(model)
    with pytest.raises(DataError, match=r"a step must be 2 numbers, but got shape \(1, 3\)"):
        stepped.step(np.zeros((1, 3)))
    with pytest.raises(DataError, match="must bring steps"):
        stepped.step("abc")
    stepped.step(RAW[:2, 0])
    with pytest.raises(DataError, match="batch size must stay 2"):
        stepped.step(RAW[:1, 0])
    (tmp_path / "text").mkdir()
    _, _, text = characters(tmp_path / "text")
    with pytest.raises(DataError, match="`0 <= id < 4` must hold"):
        SteppedModel(text).step([9])
    with pytest.raises(DataError, match="whole ids or a text"):
        SteppedModel(text).step([0.5])


def test_a_bidirectional_network_is_refused(tmp_path):
    _, model = trained(tmp_path, regression(), readout="every", bidirectional=True)
    with pytest.raises(ConfigError, match="reads forwards only"):
        SteppedModel(model)
