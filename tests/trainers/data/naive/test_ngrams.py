"""n-grams: a plain Kneser-Ney is the reference, real text gives the figure."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest

from trainers.data import load_data
from trainers.data.contract import SequenceData, SequenceSet
from trainers.data.naive import ngrams as module
from trainers.data.naive.forecast import NotPossible
from trainers.data.naive.ngrams import ngrams
from trainers.data.naive.places import places_of, truth_at


def stream(train: str, validation: str, resets: tuple[int, ...] = ()) -> SequenceData:
    tokens = sorted(set(train))

    def part(text: str, begins: tuple[int, ...] = ()) -> SequenceSet:
        ids = np.array([[tokens.index(one) for one in text]])
        marks = np.zeros((1, len(text) - 1), dtype=bool)
        marks[0, [0, *begins]] = True
        return SequenceSet(ids[:, :-1], ids[:, 1:].astype(np.int64), resets=marks)

    return SequenceData("s", "classification", part(train, resets), part(validation), None,
                        len(tokens), len(tokens), "d", vocabulary_size=len(tokens),
                        tokens=tuple(tokens), walk="stream")  # fmt: skip


def said(data: SequenceData) -> np.ndarray:
    at = places_of(data.validation, one_target=False)
    return np.exp(ngrams(data, one_target=False).answer(data.validation, at))


def test_probabilities_are_those_of_a_plain_kneser_ney():
    text = "abracadabra abracadabra cadabra abba dab crab barb abracad" * 2
    data = stream(text, "abradab cab")
    found = said(data)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-12)
    tokens = sorted(set(text))
    for step, row in enumerate(found):
        context = "abradab cab"[max(0, step - 3) : step + 1]
        expected = [plain(text, context, token) for token in tokens]
        np.testing.assert_allclose(row, expected, rtol=1e-9)


def plain(text: str, context: str, token: str) -> float:
    """Interpolated Kneser-Ney with three discounts, as the paper writes it."""
    size = len(set(text))
    # A context is what stands before a token, up to four tokens; the first has none before it.
    grams = [(text[max(0, t - 4) : t], text[t]) for t in range(1, len(text))]
    counts: list[Counter] = []
    for length in range(5):
        own = Counter((c[len(c) - length :], w) for c, w in grams if len(c) >= length)
        counts.append(own)
    for length in range(4):  # shorter ones count the different longer ones
        seen = Counter((c[1:], w) for c, w in counts_of(grams, length + 1))
        counts[length] = seen
    found = 1 / size
    for length in range(min(len(context), 4) + 1):
        own = context[len(context) - length :]
        total = sum(n for (c, _), n in counts[length].items() if c == own)
        if not total:
            if length:
                known = any(c == own for c, _ in counts_of(grams, length))
                if not known:
                    break
            continue
        steps = discounts(counts[length])
        taken = sum(steps[min(n, 3)] for (c, _), n in counts[length].items() if c == own)
        n = counts[length].get((own, token), 0)
        found = (n - steps[min(n, 3)]) / total + taken / total * found
    return found


def counts_of(grams, length):
    return {(c[len(c) - length :], w) for c, w in grams if len(c) >= length}


def discounts(counts: Counter) -> list[float]:
    seen = defaultdict(int, Counter(counts.values()))
    if not all(seen[times] for times in (1, 2, 3, 4)):
        return [0.0, 0.5, 0.75, 0.75]
    ratio = seen[1] / (seen[1] + 2 * seen[2])
    own = [k - (k + 1) * ratio * seen[k + 1] / seen[k] for k in (1, 2, 3)]
    return [0.0, *(min(max(d, 0.05), 0.95 * k) for k, d in zip((1, 2, 3), own, strict=True))]


def test_what_always_follows_is_likely():
    found = said(stream("abc" * 40, "abcabcab"))
    assert (found[3:].max(axis=1) > 0.9).all()
    assert found[3:].argmax(axis=1).tolist() == [1, 2, 0, 1][: len(found) - 3]


def test_contexts_end_where_a_document_begins():
    # `b` follows `a` only across documents' ends, whose first token is the input after a reset.
    text = "xxa" * 30
    data = stream(text, "xxaxx", resets=tuple(range(3, 87, 3)))
    at = places_of(data.train, one_target=False)
    contexts = module._contexts(data.train, at)
    assert (contexts[3] == [1, -1, -1, -1]).all()
    assert contexts[5].tolist() == [0, 1, 1, -1]


def test_a_longer_text_is_cut_and_said(monkeypatch):
    monkeypatch.setattr(module, "_MOST_TOKENS", 30)
    forecast = ngrams(stream("abc" * 40, "abcabc"), one_target=False)
    assert forecast.note == "fitted on the last 30 of 119 tokens"


def test_too_much_to_answer_is_refused(monkeypatch):
    monkeypatch.setattr(module, "_MOST_ANSWERS", 10)
    with pytest.raises(NotPossible, match="too many"):
        ngrams(stream("abc" * 40, "abcabc"), one_target=False)


def test_five_grams_of_shakespeare(shakespeare_txt: Path):
    data = load_data("shakespeare", {"path": str(shakespeare_txt)}, base_dir=Path())
    forecast, total = ngrams(data, one_target=False), 0.0
    at = places_of(data.validation, one_target=False)
    for block in at.blocks(1 << 15):
        own = truth_at(data.validation, block).targets
        total -= forecast.answer(data.validation, block)[np.arange(len(block)), own].sum()
    assert total / len(at) == pytest.approx(1.561, abs=0.001)
