"""Labelled texts: logistic regression on the tf-idf of their tokens."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainers.data.contract import Array, SequenceData, SequenceSet
from trainers.data.naive.classes import fitted
from trainers.data.naive.forecast import NaiveForecast, NotPossible
from trainers.data.naive.places import Places, existing, places_of

_MOST_TOKENS = 20_000_000


def tfidf(data: SequenceData, *, one_target: bool) -> NaiveForecast:
    """Return logistic regression on tf-idf: tokens' counts, the seldom ones weighed more.

    Raises:
        NotPossible: inputs are no token ids, each step has a target, or there is one class.
    """
    from sklearn.feature_extraction.text import TfidfTransformer

    if data.train.inputs.ndim != 2:
        raise NotPossible("inputs are no token ids")
    if not one_target:
        raise NotPossible("each step has a target")
    places = places_of(data.train, one_target=True)
    used = places.thinned(max(_MOST_TOKENS // data.train.time_steps, 2))
    weights = TfidfTransformer(sublinear_tf=True).fit(_counts(data.train, used, data.input_size))

    def features(part: SequenceSet, at: Places) -> Any:
        return weights.transform(_counts(part, at, data.input_size))

    note = "" if len(used) == len(places) else f"fitted on {len(used)} of {len(places)} texts"
    about = "logistic regression on tf-idf of the tokens"
    return NaiveForecast("tfidf", about, fitted(data, used, features), note)


def _counts(part: SequenceSet, places: Places, tokens: int) -> Any:
    """Return how often each token stands in each text, `(texts, tokens)`, sparse."""
    from scipy.sparse import csr_matrix

    shown = existing(part, places.rows)
    row, step = np.nonzero(shown)
    ids: Array = np.asarray(part.inputs[places.rows])[row, step]
    return csr_matrix((np.ones(len(ids)), (row, ids)), shape=(len(places), tokens))
