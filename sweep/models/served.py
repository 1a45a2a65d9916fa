"""The code that a logged model loads with: MLflow copies this file beside the weights.

It imports only what travels with the model. A request is a list of sequences, which need not be of
one length:

    {"inputs": [{"steps": [[20.1, 3.0], [20.4, 2.8]]}, {"steps": [[19.8, 3.1]]}]}

`steps` holds one list of raw values per time step, in the order of the model's inputs, or an object
of them by name: numbers, times and names of categories (null is missing); `mask` says perhaps which
steps exist, `series` which series they are of. Models of tokens take `text` or `ids`. With `state`,
empty at first, a model is stepped: each answer brings the state for the next request. `forecast`
asks for so many coming steps, forecasts fed back; `ahead` says what is known of them, `paths` draws
as many. `generate` asks a language model for so many tokens after `text`.
`interval: 0.9` adds both ends of the calibrated interval to each number.
`trainers.use.records` says what is answered.
"""

from pathlib import Path
from typing import Any

import mlflow
import pydantic
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from trainers.errors import TrainerError
from trainers.use.ensemble import read_model
from trainers.use.portable import NETWORK_FOLDER


class Sequence(pydantic.BaseModel):
    """One sequence of a request; other fields and values pass, to be refused in one clear line."""

    model_config = pydantic.ConfigDict(extra="allow")

    steps: Any | None = None
    series: Any | None = None
    mask: Any | None = None
    text: str | None = None
    ids: Any | None = None
    state: str | None = None
    probabilities: bool | None = None
    interval: Any | None = None
    forecast: Any | None = None
    ahead: Any | None = None
    paths: Any | None = None
    quantiles: Any | None = None
    whole_paths: Any | None = None
    generate: Any | None = None
    temperature: Any | None = None
    top_k: Any | None = None
    seed: Any | None = None


class Refusal(MlflowException):
    """One line for the client; the server would set the whole request before it."""

    def __init__(self, error: TrainerError) -> None:
        super().__init__(str(error), error_code=INVALID_PARAMETER_VALUE)

    def __setattr__(self, name: str, value: object) -> None:
        """Keep the line as it is."""
        if name != "message" or not hasattr(self, "message"):
            super().__setattr__(name, value)


class RecurrentModel(PythonModel):
    """A trained recurrent network behind MLflow's interface."""

    def load_context(self, context: PythonModelContext) -> None:
        """Read the network's folder."""
        try:
            self._model = read_model(Path(context.artifacts[NETWORK_FOLDER]))
        except TrainerError as error:
            raise Refusal(error) from None

    def predict(
        self,
        context: PythonModelContext,
        model_input: list[Sequence],
        params: dict[str, Any] | None = None,
    ) -> list[dict[str, object]]:  # `Any` would make MLflow warn
        """Answer for each sequence."""
        try:
            answers: list[dict[str, object]]
            answers = self._model.predict([one.model_dump() for one in model_input])
        except TrainerError as error:
            raise Refusal(error) from None
        return answers


mlflow.models.set_model(RecurrentModel())
