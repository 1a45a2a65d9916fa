"""How texts, labelled texts, cases of the field and folders of tables are best taken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from sweep.datasets.draft import Draft, Kind, Wishes
from sweep.datasets.forms import examples_in, first_lines, form_of, text_files, texts_path
from sweep.datasets.opened_table import TRAIN_SHARE, columns_said, open_table
from sweep.datasets.table_draft import draft_table, ordering, task_of
from sweep.errors import ConfigProblem
from trainers.data.sequences.archive_files import archive_files
from trainers.data.sequences.formats import format_of, read_cases
from trainers.data.sequences.rows import RowColumns
from trainers.data.tables.columns import numeric_columns
from trainers.data.tables.formats import is_table
from trainers.data.texts.vocabulary import split_text

_MOST_WORDS = 5_000
_WORDS_LOOKED_AT = 20_000
_LEVEL = "the next character; or word (then lowercase, max_tokens)"
_PERHAPS_PAIRS = "the next character; each line has a tab: texts and answers are source: pairs"


def draft_text(path: Path, wishes: Wishes) -> Draft:
    """A running text: the next character."""
    del wishes
    files = [path] if path.is_file() else text_files(path)
    size = sum(file.stat().st_size for file in files)
    lines = [line for file in files for line in first_lines(file)]
    answered = bool(lines) and all(line.count("\t") == 1 for line in lines)
    return Draft(
        source="text",
        kind="language",
        options={"path": texts_path(path), "level": "character", "split": [0.9, 0.1, 0.0]},
        why={
            "level": _PERHAPS_PAIRS if answered else _LEVEL,
            "split": "shares of train, validation and test, in the text's order",
        },
        examples=int(0.9 * size),
    )


def draft_examples(path: Path, wishes: Wishes) -> Draft:
    """Lines of a text and its label: a class for each text."""
    del wishes
    files = [path] if path.is_file() else text_files(path)
    lines = [line for file in files for line in first_lines(file, _WORDS_LOOKED_AT)]
    label_first = bool(examples_in(lines[:400]))
    cut = [line.partition("\t")[2] if label_first else line.rpartition("\t")[0] for line in lines]
    return _of_texts(
        {"path": texts_path(path), **({"label_first": True} if label_first else {})},
        cut,
        {"label_first": "lines are label<TAB>text"},
    )


def draft_labelled_texts(path: Path, columns: tuple[str, str], texts: list[str]) -> Draft:
    """A table with a column of texts and one of labels."""
    text, label = columns
    return _of_texts({"path": str(path), "text_column": text, "label_column": label}, texts, {})


def _of_texts(options: dict[str, Any], texts: list[str], why: dict[str, str]) -> Draft:
    tokens = [split_text(text.lower(), "word") for text in texts]
    lengths = [len(one) for one in tokens]
    words, counts = np.unique([word for one in tokens for word in one], return_counts=True)
    often = int((counts > 1).sum())
    return Draft(
        source="tokens",
        kind="sentences",
        options={
            **options,
            "max_words": int(np.clip(round(often, -2), 100, _MOST_WORDS)),
            "max_length": max(8, int(np.quantile(lengths, 0.98))),
        },
        why={
            **why,
            "max_words": f"of {len(words)} different words {often} come more than once",
            "max_length": "words; the end of a longer text is kept (2 % are longer)",
        },
        examples=int(0.8 * len(texts)),
    )


def draft_cases(path: Path, wishes: Wishes) -> Draft:
    """Cases in .ts or UCR files: a class or a number for each."""
    found = archive_files(path.name, {}, path.parent)
    train = found.files["train"]
    options: dict[str, Any] = {"path": str(path)}
    why: dict[str, str] = {}
    test = _beside(train) if path.is_file() else None
    if test is not None:
        options["test_path"] = str(test)
        why["test_path"] = "lies beside it; the validation part is taken from train"
    cases = read_cases(train, format_of(train), RowColumns(None))
    if wishes.task is not None:
        options["task"] = wishes.task
    gaps = any(np.isnan(values).any() for values in cases.values)
    if gaps:
        options["missing"] = "mask"
        why["missing"] = "a step that misses a value is a gap"
    task = wishes.task or cases.task or "classification"
    kind: Kind = "regression" if task == "regression" else "classification"
    share = 0.8 if test is not None or "test" in found.files else TRAIN_SHARE
    return Draft("sequences", kind, options, why, examples=int(share * len(cases.values)))


def _beside(train: Path) -> Path | None:
    """The test file beside a training file."""
    for word, other in (("TRAIN", "TEST"), ("train", "test"), ("Train", "Test")):
        if train.stem.endswith(word):
            test = train.with_name(train.stem.removesuffix(word) + other + train.suffix)
            return test if test.is_file() else None
    return None


def draft_folder(folder: Path, wishes: Wishes) -> Draft:
    """A folder of tables of equal columns, one a sequence.

    Raises:
        ConfigProblem: the tables' columns differ, or there is no target.
    """
    files = [f for f in sorted(folder.iterdir()) if f.is_file() and is_table(f)]
    tables = [open_table(file, wishes) for file in files[:2]]
    names = [list(table.frame.columns) for table in tables]
    if names[0] != names[1]:
        raise ConfigProblem(
            f"tables of a folder must have equal columns, one table a sequence, but "
            f"{files[0].name} has {', '.join(names[0][:6])} and {files[1].name} has "
            f"{', '.join(names[1][:6])}; name one file."
        )
    if len(wishes.target) != 1:
        raise ConfigProblem(
            f"init needs --target, the column to predict; {files[0].name} has: "
            f"{columns_said(tables[0].frame)}."
        )
    target = wishes.target[0]
    labels = [table.frame[target] for table in tables if target in table.frame]
    if not labels:
        raise ConfigProblem(
            f"--target must name a column, but got {target!r}; {files[0].name} has: "
            f"{columns_said(tables[0].frame)}."
        )
    task = wishes.task or task_of(labels[0], target)
    one = all(label.nunique() == 1 for label in labels)
    kind: Kind = "classification" if task == "classification" else "regression"
    alignment = "one_label" if one else "equal"
    order = wishes.time or ordering(tables[0].frame)
    return Draft(
        source="table",
        kind=kind,
        options={
            "folder": str(folder),
            **({"order": order[0]} if len(order) == 1 else {}),
            "target": target,
            "task": task,
            "alignment": alignment,
        },
        why={
            "folder": f"{len(files)} tables of equal columns, one a sequence",
            "alignment": "one label a sequence" if one else "a label at each step",
        },
        examples=int(TRAIN_SHARE * len(files)),
    )


_DRAFTS = {
    "text": draft_text,
    "examples": draft_examples,
    "cases": draft_cases,
    "tables": draft_folder,
}


def draft_of(path: Path, wishes: Wishes) -> Draft:
    """Draft the data section for a file or a folder.

    Raises:
        ConfigProblem: something must be said; the line names the flag.
        DataError: the file can't be read.
    """
    form = form_of(path)
    if form in _DRAFTS:
        draft = _DRAFTS[form](path, wishes)
    else:
        table = open_table(path, wishes)
        texts = _texts_of(table, wishes)
        draft = draft_table(table) if texts is None else texts
    return draft.with_options(wishes.options)


def _texts_of(table: Any, wishes: Wishes) -> Draft | None:
    """A table whose only other column beside the target is one of texts."""
    if len(wishes.target) != 1 or wishes.target[0] not in table.frame.columns:
        return None
    others = [str(name) for name in table.frame.columns if name != wishes.target[0]]
    numbers = set(numeric_columns(table.frame))
    wordy = [
        name for name in others
        if name not in numbers
        and table.frame[name].iloc[:400].astype(str).str.split().str.len().mean() >= 3
    ]  # fmt: skip
    if len(wordy) != 1 or table.frame[wordy[0]].nunique() < 0.5 * len(table.frame):
        return None
    if any(name in numbers and "id" not in name.casefold() for name in others) or wishes.time:
        return None
    texts = table.frame[wordy[0]].iloc[:_WORDS_LOOKED_AT].astype(str).tolist()
    return draft_labelled_texts(table.path, (wordy[0], wishes.target[0]), texts)
