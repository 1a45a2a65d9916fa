"""Parts of a data set held against each other."""

import dataclasses

import numpy as np
import pytest

from tests.trainers.data.findings.finding_tables import names_of
from trainers.data.contract import Category, SequenceData, SequenceSet
from trainers.data.finding import Finding
from trainers.data.findings.judge import judged, part_findings
from trainers.data.findings.parts import training_classes
from trainers.errors import DataError


def numbers(train, test, **values):
    """A data set of one feature and one target; the target is 0 to 1 throughout."""

    def part(inputs):
        x = np.asarray(inputs, dtype=np.float32).reshape(-1, 5, 1)
        y = np.linspace(0, 1, x.size, dtype=np.float32).reshape(x.shape)
        return SequenceSet(x, y)

    usual = {
        "name": "d", "task": "regression", "input_size": 1, "output_size": 1, "digest": "",
        "input_names": ("x",), "input_scale": np.array([2.0]), "input_shift": np.array([10.0]),
    }  # fmt: skip
    parts = {"train": part(train), "validation": part(train), "test": part(test)}
    return SequenceData(**{**usual, **parts, **values})


def labels(counts, **values):
    ids = np.repeat(np.arange(len(counts)), counts)
    part = SequenceSet(np.zeros((len(ids), 1, 1), np.float32), ids[:, None])
    usual = {
        "name": "d", "task": "classification", "input_size": 1, "output_size": len(counts),
        "digest": "", "one_target": True, "target_names": tuple("abcdefgh"[: len(counts)]),
    }  # fmt: skip
    return SequenceData(train=part, validation=part, test=None, **{**usual, **values})


STEPS = np.arange(100) / 100


def test_a_part_outside_the_range_of_training_is_told_in_own_units():
    (finding,) = part_findings(numbers(STEPS, STEPS + 1))
    assert (finding.kind, finding.grade) == ("shift", "doubtful")
    assert "input 'x' in the test part is 12 to 13.98, in training 10 to 11.98" in finding.text
    assert "100% of its values lie outside" in finding.text


def test_a_mean_far_off_is_told():
    train = np.append(np.tile([-0.1, 0.1], 49), [-3.0, 3.0])
    assert "standard deviations off" in part_findings(numbers(train, STEPS * 0.1 + 2.5))[0].text


def test_a_target_that_leaves_its_range_is_told():
    data = numbers(STEPS, STEPS)
    test = dataclasses.replace(data.test, targets=data.test.targets + 5)
    (finding,) = part_findings(dataclasses.replace(data, test=test, target_names=("load",)))
    assert finding.text.startswith("target 'load' in the test part")


@pytest.mark.parametrize(
    "changed",
    [
        {"input_names": ("time_of_year_sin",)},
        {"categories": (Category(0, "x", ("a",), 2),)},
    ],
)
def test_waves_and_categories_have_no_range(changed):
    assert part_findings(numbers(STEPS, STEPS + 1, **changed)) == ()


def test_parts_alike_are_fine():
    assert part_findings(numbers(STEPS, STEPS[::-1])) == ()


def test_what_a_mask_hides_does_not_count():
    data = numbers(STEPS, STEPS)
    x = data.test.inputs.copy()
    x[:, 0] = 1e9
    hidden = np.ones(x.shape[:2], bool)
    hidden[:, 0] = False
    test = dataclasses.replace(data.test, inputs=x, input_mask=hidden)
    assert part_findings(dataclasses.replace(data, test=test)) == ()


def test_rare_classes_are_doubtful_and_uneven_ones_noted():
    found = part_findings(labels([40, 3, 60]))
    assert names_of(found) == [("classes", "doubtful"), ("classes", "note")]
    assert "'b' 3" in found[0].text
    assert "'c' has 60 training examples, 'b' 3" in found[1].text
    assert part_findings(labels([30, 40])) == ()
    assert training_classes(labels([30, 40])) == {"a": 30, "b": 40}


def test_next_tokens_are_no_classes():
    assert part_findings(labels([40, 1], one_target=False, vocabulary_size=2)) == ()


WRONG = Finding("leak", "wrong", "input 'x' is the target; data.drop: [x]")


def test_a_wrong_finding_refuses_data_unless_it_is_accepted():
    data = numbers(STEPS, STEPS, findings=(WRONG,))
    with pytest.raises(
        DataError, match=r"data.drop: \[x\]; or accept it with data.accept: \[leak]"
    ):
        judged(data, ())
    assert judged(data, ("leak",)).findings == (WRONG,)
    with pytest.raises(DataError, match=r"data.accept: \[sentinel, leak\]"):
        judged(data, ("sentinel",))


def test_all_that_is_wrong_is_counted_in_the_line():
    other = Finding("sentinel", "wrong", "column 'a' holds -9999")
    with pytest.raises(DataError, match=r"data.accept: \[leak, sentinel\] \(1 more"):
        judged(numbers(STEPS, STEPS, findings=(WRONG, other)), ())


def test_of_a_beginning_parts_are_not_judged():
    assert judged(labels([40, 3]), (), whole=False).findings == ()
    assert judged(labels([40, 3]), ()).findings != ()
