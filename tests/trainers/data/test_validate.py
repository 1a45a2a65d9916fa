"""The sequence contract: what breaks it is named by part, row and step; what holds is digested."""

from __future__ import annotations

import dataclasses
import pickle
from typing import Any

import numpy as np
import pytest

from trainers.data.contract import Category, Picked, SequenceData, SequenceSet
from trainers.data.validate import checked, digest
from trainers.errors import DataError


def part(**changes: Any) -> SequenceSet:
    arrays = {
        "inputs": np.arange(24, dtype=np.float32).reshape(3, 4, 2),
        "targets": np.arange(12, dtype=np.float32).reshape(3, 4, 1),
    }
    return SequenceSet(**{**arrays, **changes})


def data(train: SequenceSet | None = None, **changes: Any) -> SequenceData:
    whole = SequenceData(
        "x", "regression", part() if train is None else train, part(), part(), 2, 1, digest=""
    )
    return dataclasses.replace(whole, **changes)


def mask(*rows: str) -> np.ndarray:
    return np.array([[step == "1" for step in row] for row in rows])


RAGGED = mask("1110", "1011", "1100")


def test_padding_may_hold_nan() -> None:
    inputs = np.where(RAGGED[..., None], part().inputs, np.float32(np.nan))
    targets = np.where(RAGGED[..., None], part().targets, np.float32(np.inf))
    ragged = SequenceSet(inputs, targets, RAGGED, RAGGED)
    assert len(checked(data(ragged)).digest) == 64


def test_a_target_mask_per_output_hides_single_outputs() -> None:
    targets = np.zeros((3, 4, 2), np.float32)
    shown = np.ones((3, 4, 2), bool)
    targets[1, 2, 1], shown[1, 2, 1] = np.nan, False
    whole = SequenceSet(part().inputs, targets, None, shown)
    loaded = checked(data(whole, validation=whole, test=None, output_size=2))
    assert loaded.train.target_mask is not None
    assert int((~loaded.train.target_mask).sum()) == 1


def with_value(field: str, index: tuple[int, ...], value: float) -> SequenceSet:
    array = getattr(part(), field).copy()
    array[index] = value
    return part(**{field: array})


@pytest.mark.parametrize(
    ("train", "message"),
    [
        (part(inputs=np.zeros((3, 4, 3), np.float32)), "train: inputs must have 2 features, .* 3"),
        (part(inputs=np.zeros((3, 4, 2))), "train: inputs must be .* float32 .* float64"),
        (part(inputs=np.zeros((0, 4, 2), np.float32)), "at least one sequence"),
        (part(targets=np.zeros((2, 4, 1), np.float32)), r"targets must have shape \(3, 4, 1\)"),
        (part(targets=np.zeros((3, 4), np.int64)), r"got \(3, 4\) of int64"),
        (part(input_mask=RAGGED[:2]), "input_mask must have shape"),
        (part(input_mask=RAGGED.astype(float)), "input_mask must have .* bool"),
        (part(target_mask=np.ones((3, 4, 2), bool)), "target_mask must have shape"),
        (part(target_mask=np.zeros((3, 4), bool)), "target_mask hides all"),
        (with_value("inputs", (1, 2, 1), np.nan), "got nan in sequence 1, step 2, column 1"),
        (with_value("targets", (2, 0, 0), np.inf), "got inf in sequence 2, step 0, column 0"),
        (
            part(input_mask=mask("1111", "0000", "0000"), target_mask=mask("1111", "0000", "0000")),
            "2 have none, the first at index 1",
        ),
        (
            part(input_mask=RAGGED, target_mask=mask("1110", "0100", "1100")),
            "sequence 1 has a target at step 1, which input_mask hides",
        ),
        (part(input_mask=RAGGED), "sequence 0 has a target at step 3, which input_mask hides"),
    ],
)
def test_what_breaks_the_contract_is_named(train: SequenceSet, message: str) -> None:
    with pytest.raises(DataError, match=message):
        checked(data(train))


def test_the_part_at_fault_is_named() -> None:
    bad = with_value("inputs", (0, 0, 0), np.nan)
    with pytest.raises(DataError, match=r"^test: "):
        checked(data(test=bad))


def classes(ids: list[int]) -> SequenceData:
    whole = part(targets=np.array([[i] * 4 for i in ids], np.int64))
    return SequenceData("x", "classification", whole, whole, None, 2, 3, digest="")


def test_class_ids_lie_in_range() -> None:
    checked(classes([0, 1, 2]))
    with pytest.raises(
        DataError, match=r"`0 <= id < 3` must hold for targets, but got 3 in seq.* 2"
    ):
        checked(classes([0, 1, 3]))
    with pytest.raises(DataError, match="but got -1 in sequence 0, step 0"):
        checked(classes([-1, 1, 2]))


def test_token_ids_lie_in_range_where_they_are_shown() -> None:
    tokens = np.array([[0, 1, 4, 99]] * 3)
    seen = mask("1110", "1110", "1110")
    whole = part(inputs=tokens, input_mask=seen, target_mask=seen)
    checked(data(whole, validation=whole, test=None, input_size=5))
    with pytest.raises(DataError, match="`0 <= id < 4` must hold for inputs, but got 4"):
        checked(data(whole, validation=whole, test=None, input_size=4))


def test_one_target_means_the_last_valid_step_and_no_other() -> None:
    last = mask("0010", "0001", "0100")
    good = part(input_mask=RAGGED, target_mask=last)
    checked(data(good, validation=good, test=None, one_target=True))
    bad = part(input_mask=RAGGED, target_mask=mask("0010", "0001", "1000"))
    with pytest.raises(DataError, match="target_mask of sequence 2 shows other steps"):
        checked(data(bad, validation=good, test=None, one_target=True))


@pytest.mark.parametrize("scale", [[0.0], [np.nan], [1.0, 2.0]])
def test_a_scale_that_cannot_be_undone_is_refused(scale: list[float]) -> None:
    with pytest.raises(DataError, match="target_scale"):
        checked(data(target_scale=np.array(scale)))


def test_equal_content_has_an_equal_digest_also_after_pickling() -> None:
    assert digest(data()) == digest(data())
    assert digest(pickle.loads(pickle.dumps(data()))) == digest(data())


@pytest.mark.parametrize(
    "changed",
    [
        data(with_value("inputs", (2, 3, 1), 23.5)),
        data(with_value("targets", (2, 3, 0), 11.5)),
        data(part(target_mask=mask("1111", "1111", "1110"))),
        data(part(input_mask=np.ones((3, 4), bool))),
        data(test=None),
        data(test=with_value("targets", (0, 0, 0), 9)),
        data(target_scale=np.array([2.0])),
        data(target_shift=np.array([2.0])),
        data(part(inputs=part().inputs[::-1].copy())),
    ],
)
def test_any_change_of_content_changes_the_digest(changed: SequenceData) -> None:
    assert digest(changed) != digest(data())


def test_the_digest_of_a_view_sees_its_geometry_and_its_series() -> None:
    def windows(series: np.ndarray, first: int) -> SequenceSet:
        views = np.lib.stride_tricks.sliding_window_view(series, 10, axis=0)[first : first + 20]
        targets = np.broadcast_to(series[first : first + 20, None, :1].copy(), (20, 10, 1))
        return SequenceSet(views.transpose(0, 2, 1), targets)

    series = np.arange(80, dtype=np.float32).reshape(40, 2)
    other = series.copy()
    other[15, 1] = -1
    base = digest(data(windows(series, 5)))
    assert digest(data(windows(series.copy(), 5))) == base
    assert digest(data(windows(series, 6))) != base
    assert digest(data(windows(other, 5))) != base


def stream(resets: np.ndarray | None = None, **changes: Any) -> SequenceData:
    ids = np.array([[0, 1, 2, 1]])
    whole = SequenceSet(ids, ids, resets=resets)
    built = SequenceData(
        *("x", "classification", whole, whole, None, 3, 3), digest="", walk="stream"
    )
    return dataclasses.replace(built, **changes)


def test_token_ids_get_their_vocabularys_size() -> None:
    assert checked(stream()).vocabulary_size == 3
    assert checked(stream(vocabulary_size=3, tokens=("a", "b", "c"))).tokens == ("a", "b", "c")
    assert checked(data()).vocabulary_size is None


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            stream(vocabulary_size=4),
            r"`input_size == vocabulary_size` .* \(input_size=3, voc.*=4\)",
        ),
        (stream(tokens=("a", "b")), "tokens must name all 3 token ids, but got 2"),
        (data(vocabulary_size=2), "needs token ids .* but got features with vocabulary_size=2"),
        (data(tokens=("a", "b")), "needs token ids .* and 2 tokens"),
        (
            stream(test=SequenceSet(np.zeros((1, 4, 3), np.float32), np.zeros((1, 4), np.int64))),
            "inputs of every part must be token ids, or of none",
        ),
        (stream(walk="lanes"), "walk must be one of .* but got 'lanes'"),
        (stream(np.ones((1, 3), bool)), r"train: resets must have shape \(1, 4\) and type bool"),
        (stream(np.ones((1, 4), int)), "train: resets must have shape .* but got .* of int64"),
        (stream(class_weights=np.ones(2)), "class_weights must hold 3 finite numbers"),
        (stream(class_weights=np.array([1, -1, 1.0])), "class_weights must hold 3 .* >= 0"),
        (stream(class_weights=np.zeros(3)), "not all of them 0"),
        (data(class_weights=np.ones(1)), "class_weights need classes, but got .* 'regression'"),
    ],
)
def test_a_wrong_vocabulary_walk_or_weight_is_named(wrong: SequenceData, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        checked(wrong)
    assert "\n" not in str(caught.value)


def test_a_stream_has_no_single_target() -> None:
    one = np.array([[False, False, False, True]])
    whole = dataclasses.replace(stream().train, target_mask=one)
    with pytest.raises(DataError, match="a stream has targets all along"):
        checked(stream(train=whole, validation=whole, one_target=True))


def test_resets_walk_weights_and_tokens_are_part_of_the_digest() -> None:
    begins = np.array([[True, False, False, False]])
    digests = {
        digest(changed)
        for changed in (
            stream(),
            stream(begins),
            stream(~begins),
            stream(walk="sequences"),
            stream(tokens=("a", "b", "c")),
            stream(tokens=("a", "b", "d")),
            stream(class_weights=np.array([1.0, 2.0, 1.0])),
        )
    }
    assert len(digests) == 7


def test_resets_survive_pickling() -> None:
    begins = np.array([[True, False, True, False]])
    again = pickle.loads(pickle.dumps(stream(begins)))
    np.testing.assert_array_equal(again.train.resets, begins)
    assert again.walk == "stream"


SHOP = Category(1, "shop", ("north", "south"), 2)


def shops(ids: list[list[float]], input_mask: np.ndarray | None = None) -> SequenceData:
    """Three sequences of four steps, the shop's id beside a number."""
    inputs = np.stack([np.full((3, 4), 0.5), np.array(ids)], axis=-1).astype(np.float32)
    train = part(inputs=inputs, input_mask=input_mask, target_mask=input_mask)
    fine = part(inputs=np.ones((3, 4, 2), np.float32))
    return data(train, validation=fine, test=fine, categories=(SHOP,))


def test_a_category_is_a_feature_of_whole_ids() -> None:
    ids = [[0.0, 1.0, 2.0, 1.0]] * 3
    assert checked(shops(ids)).categories == (SHOP,)
    for wrong in (3.0, -1.0, 0.5):
        with pytest.raises(
            DataError,
            match=rf"train: category 'shop' must hold whole ids from 0 \(unknown\) to 2, but got "
            rf"{wrong} in sequence 1, step 2",
        ):
            checked(shops([ids[0], [0.0, 1.0, wrong, 1.0], ids[0]]))
    with pytest.raises(DataError, match=r"'shop' must be one of the inputs' features, but is .* 2"):
        checked(data(categories=(dataclasses.replace(SHOP, feature=2),)))


def test_categories_stand_in_the_order_of_their_features_and_have_values() -> None:
    ids = shops([[0.0, 1.0, 2.0, 1.0]] * 3)
    with pytest.raises(DataError, match=r"in the order of their features, but got \[1, 1\]"):
        checked(dataclasses.replace(ids, categories=(SHOP, SHOP)))
    empty, ids = dataclasses.replace(SHOP, values=()), shops([[0.0] * 4] * 3)
    ones = dataclasses.replace(ids, validation=ids.train, test=None, categories=(empty,))
    with pytest.raises(DataError, match=r"'shop' must have a value .* got 0 values"):
        checked(ones)


@pytest.mark.parametrize("hidden", [7.0, np.nan])
def test_a_step_that_does_not_exist_may_hold_any_id(hidden: float) -> None:
    checked(shops([[0.0, 1.0, 2.0, hidden]] * 3, mask(*["1110"] * 3)))


def windows(series: np.ndarray, input_mask: np.ndarray | None = None) -> SequenceData:
    """Every other window of four of a series' steps, not in their order, as nothing but views."""
    view = np.lib.stride_tricks.sliding_window_view(series, 4, axis=0).swapaxes(1, 2)
    some = part(inputs=Picked(view, np.array([4, 0, 2])), input_mask=input_mask,
                target_mask=input_mask)  # fmt: skip
    return data(some, validation=some, test=some, categories=(SHOP,))


def test_windows_of_a_series_hold_ids_where_they_exist() -> None:
    series = np.tile([[0.5, 1.0], [0.5, 2.0]], (4, 1)).astype(np.float32)
    checked(windows(series))
    series[5, 1] = 1.5
    with pytest.raises(DataError, match=r"whole ids .* got 1.5 in sequence 0, step 1"):
        checked(windows(series))
    checked(windows(series, mask("1011", "1111", "1110")))


def test_the_same_ids_of_other_values_are_other_data() -> None:
    ids = [[0.0, 1.0, 2.0, 1.0]] * 3
    other = dataclasses.replace(SHOP, values=("south", "north"))
    turned = dataclasses.replace(shops(ids), categories=(other,))
    without = dataclasses.replace(shops(ids), categories=())
    assert len({digest(made) for made in (shops(ids), turned, without)}) == 3


APART = np.tile([[[2.0], [-1.0]]], (3, 1, 1))


def with_scale(value: float, at: tuple[int, int, int]) -> SequenceSet:
    rescale = APART.copy()
    rescale[at] = value
    return part(rescale=rescale)


def test_scales_of_sequences_are_positive_and_finite() -> None:
    checked(data(part(rescale=APART)))
    checked(data(part(rescale=Picked(APART[:1], np.zeros(3, int)))))
    checked(data(with_scale(0.0, (1, 1, 0))))
    for value, part_of_it in ((0.0, 0), (-1.0, 0), (np.inf, 0), (np.nan, 1)):
        with pytest.raises(DataError, match=r"train: rescale must .* for output 0 of sequence 1"):
            checked(data(with_scale(value, (1, part_of_it, 0))))
    with pytest.raises(DataError, match=r"rescale must have shape \(3, 2, 1\) and type float64"):
        checked(data(part(rescale=APART[:2])))
    with pytest.raises(DataError, match=r"rescale must have .* got \(3, 2, 1\) of float32"):
        checked(data(part(rescale=APART.astype(np.float32))))


def test_scales_are_of_numeric_targets_of_single_sequences() -> None:
    labelled = classes([0, 1, 2])
    scaled = dataclasses.replace(labelled.train, rescale=np.ones((3, 2, 3)))
    with pytest.raises(DataError, match=r"rescale is of numeric targets .* 'classification'"):
        checked(dataclasses.replace(labelled, train=scaled))
    with pytest.raises(DataError, match=r"rescale is of numeric targets .* walk='stream'"):
        checked(data(part(rescale=APART), walk="stream"))


def test_scales_of_sequences_are_part_of_the_digest_and_travel() -> None:
    scaled, other = data(part(rescale=APART)), data(part(rescale=2 * APART))
    assert len({digest(made) for made in (scaled, other, data())}) == 3
    back = pickle.loads(pickle.dumps(scaled))
    assert np.array_equal(back.train.rescale, APART)
    assert digest(back) == digest(scaled)
