"""Which naive forecasts a data set can have, and their fits."""

from __future__ import annotations

from trainers.data.contract import SequenceData
from trainers.data.naive.classes import logistic, majority
from trainers.data.naive.forecast import Fit, NaiveForecast, NotPossible
from trainers.data.naive.means import mean, persistence, seasonal
from trainers.data.naive.ngrams import ngrams
from trainers.data.naive.ridge import ridge
from trainers.data.naive.texts import tfidf

REGRESSION: dict[str, Fit] = {
    "persistence": persistence,
    "seasonal": seasonal,
    "mean": mean,
    "ridge": ridge,
}
CLASSIFICATION: dict[str, Fit] = {"majority": majority, "logistic": logistic}
TOKENS: dict[str, Fit] = {"majority": majority, "tfidf": tfidf}
PAIRS: dict[str, Fit] = {"majority": majority}
LANGUAGE: dict[str, Fit] = {"majority": majority, "ngrams": ngrams}


def candidates(data: SequenceData) -> dict[str, Fit]:
    """Return what data of this kind may have, by name."""
    if data.task == "regression":
        return {"mean": mean} if data.pairs else REGRESSION
    if data.pairs:
        return PAIRS
    if data.vocabulary_size is None:
        return CLASSIFICATION
    return LANGUAGE if data.vocabulary_size == data.output_size else TOKENS


def naive_forecasts(
    data: SequenceData, *, one_target: bool
) -> tuple[list[NaiveForecast], dict[str, str]]:
    """Fit every naive forecast that the data can have.

    Args:
        data: Fitted on its training part; what is chosen is chosen on validation.
        one_target: Whether only the last target of each sequence counts.

    Returns:
        The forecasts, and by name why others are left out.
    """
    found, left_out = [], {}
    for name, fit in candidates(data).items():
        try:
            found.append(fit(data, one_target=one_target))
        except NotPossible as reason:
            left_out[name] = str(reason)
    return found, left_out
