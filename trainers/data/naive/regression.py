"""Logistic regression by scikit-learn, its penalty the best on validation of a small grid."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from trainers.data.contract import Array
from trainers.data.naive.forecast import NotPossible

STRENGTHS = (0.01, 0.1, 1.0, 10.0, 100.0)  # scikit-learn's C: the inverse of the penalty
_ROUNDS = 300
_LEAST = 1e-12

Examples = tuple[Any, Array]  # features (rows, features), dense or sparse, and class ids (rows,)


def fit_classes(train: Examples, validation: Examples) -> Any:
    """Return a fitted scikit-learn classifier.

    Args:
        train: What it is fitted on.
        validation: What its penalty is chosen on, by the mean of −log p of the true class.

    Raises:
        NotPossible: training has one class only.
    """
    if len(np.unique(train[1])) < 2:
        raise NotPossible("the training part has one class only")
    models = [_fit(train, strength) for strength in STRENGTHS]
    return min(models, key=lambda model: _surprise(model, validation))


def _fit(train: Examples, strength: float) -> Any:
    from scipy.sparse import issparse
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    regression = LogisticRegression(C=strength, max_iter=_ROUNDS)
    model = regression if issparse(train[0]) else make_pipeline(StandardScaler(), regression)
    with warnings.catch_warnings():
        # Its last iterate is a forecast too: validation judges it.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(*train)


def _surprise(model: Any, validation: Examples) -> float:
    features, classes = validation
    found = model.predict_proba(features)
    place = np.searchsorted(model.classes_, classes)
    known = np.isin(classes, model.classes_)
    own = found[np.arange(len(classes)), np.minimum(place, found.shape[1] - 1)]
    return float(-np.log(np.maximum(np.where(known, own, 0.0), _LEAST)).mean())
