"""What MLflow runs to answer: this file is the model's code, the model folder is its artifact."""

from pathlib import Path

import mlflow.models
import pandas as pd
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from lslm.serving.predictor import Predictor


class Served(PythonModel):
    """Answers for the column `text`, in the columns that the head names."""

    def load_context(self, context: PythonModelContext) -> None:
        """Open the model folder."""
        self.predictor = Predictor.load(Path(context.artifacts["model"]))

    def predict(
        self,
        context: PythonModelContext,
        model_input: pd.DataFrame,
        params: dict[str, object] | None = None,
    ) -> pd.DataFrame:
        """One row of answers a row of texts; a class that is held back is None."""
        answers = self.predictor.predict(model_input["text"].tolist())
        return pd.DataFrame(
            {
                name: pd.Series(
                    [answer[name] for answer in answers],
                    index=model_input.index,
                    # Of a column of strings pandas would make NaN of None, which is no JSON.
                    dtype=object if kind == "string" else None,
                )
                for name, kind in self.predictor.schema
            }
        )


mlflow.models.set_model(Served())
