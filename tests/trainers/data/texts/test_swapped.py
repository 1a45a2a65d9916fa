"""Texts and labels in each other's place are refused, never trained on."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from trainers.data import SequenceData, load_data
from trainers.data.texts.swapped import looks_swapped
from trainers.errors import DataError

TEXTS = [f"{'good' if n % 2 else 'bad'} thing number {n}" for n in range(20)]
LABELS = [str(n % 2) for n in range(20)]


def load(base: Path, pairs: list[tuple[str, str]], **values: object) -> SequenceData:
    (base / "a.txt").write_text("\n".join(f"{one}\t{other}" for one, other in pairs))
    return load_data("tokens", {"path": "a.txt", **values}, base_dir=base)


def test_lines_that_begin_with_the_label_are_refused_with_the_way_out(tmp_path: Path) -> None:
    swapped = list(zip(LABELS, TEXTS, strict=True))
    with pytest.raises(DataError, match=r"look swapped: 20 .*data.label_first: true") as caught:
        load(tmp_path, swapped)
    assert len(str(caught.value)) < 300
    data = load(tmp_path, swapped, label_first=True)
    assert data.digest == load(tmp_path, list(zip(TEXTS, LABELS, strict=True))).digest
    assert load(tmp_path, swapped, label_first=False, split=[0.5, 0.5, 0]).output_size == 20


def test_only_the_first_tab_parts_label_and_text(tmp_path: Path) -> None:
    data = load(tmp_path, [("0", "a\tb"), ("1", "c d")] * 10, label_first=True)
    assert data.target_names == ("0", "1")
    assert set(data.tokens[2:]) == {"a", "b", "c", "d"}


def test_swapped_columns_are_refused_with_the_way_out(tmp_path: Path) -> None:
    pd.DataFrame({"review": TEXTS, "stars": LABELS}).to_csv(tmp_path / "t.csv", index=False)
    right = {"path": "t.csv", "text_column": "review", "label_column": "stars"}
    assert load_data("tokens", right, base_dir=tmp_path).output_size == 2
    wrong = {**right, "text_column": "stars", "label_column": "review"}
    way_out = "data.text_column: review and data.label_column: stars"
    with pytest.raises(DataError, match=f"look swapped: 20 .*{way_out}"):
        load_data("tokens", wrong, base_dir=tmp_path)
    with pytest.raises(DataError, match=r"data\.label_first is for lines"):
        load_data("tokens", {**right, "label_first": True}, base_dir=tmp_path)


def test_a_swapped_test_file_is_refused_too(tmp_path: Path) -> None:
    (tmp_path / "test.txt").write_text("1\ta fine film\n0\ta bad one\n0\tawful to see\n")
    with pytest.raises(DataError, match=r"test\.txt: texts and labels look swapped"):
        load(tmp_path, list(zip(TEXTS, LABELS, strict=True)), test_path="test.txt")


@pytest.mark.parametrize(
    ("texts", "labels", "expected"),
    [
        (LABELS, TEXTS, True),
        (TEXTS, LABELS, False),
        (["ham", "spam", "ham"], ["go to the park", "win a prize now", "ok"], True),
        (["0", "1"] * 20, ["not good at all", "a very good film"] * 20, True),  # the same again
        (["not good at all", "a very good film"] * 20, ["0", "1"] * 20, False),
        (["yes", "no"] * 20, ["positive answer", "negative answer"] * 20, False),
        (["Satoshi", "Smith", "Sato"], ["Japanese", "English", "Japanese"], False),
        (["名古屋は晴れ", "雨が降る", "雪の朝"], ["天気", "天気", "雪"], False),
        (["天気", "天気", "雪"], ["名古屋は晴れ", "雨が降る", "雪の朝"], True),
    ],
)
def test_swapped_is_where_texts_come_again_and_labels_do_not(
    texts: list[str], labels: list[str], expected: bool
) -> None:
    assert looks_swapped(texts, labels) is expected
