"""What every layer of columns can do beside its own work: learn from data, be saved, be made anew."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Self

import keras

from trainer.encoding.encoding import feature_of
from trainer.errors import Refusal
from trainer.feature_column import FeatureColumn
from trainer.layers import columns as shared
from trainer.layers.given import as_given


class ColumnsLayer(keras.layers.Layer):
    """A layer made from columns, which encodes raw features itself unless it is given encoded ones.

    Args:
        columns: Columns that the layer can take.
        encoded: Whether the features come from an `Encoder` of these columns, rather than raw.
    """

    def __init__(self, columns: Sequence[FeatureColumn], encoded: bool, **arguments: Any) -> None:
        # Keras would cast float features before they are bucketized.
        super().__init__(autocast=False, **arguments)
        as_given(self)
        self.encoded, self.declared = encoded, tuple(columns)
        self.use(columns)

    def use(self, columns: Sequence[Any]) -> None:
        """Takes columns for the layer's own, and makes what follows from them."""
        self.columns = tuple(columns)
        self.encodings = None if self.encoded else shared.Encodings(self.columns)

    def __call__(self, features: Any, *arguments: Any, **keywords: Any) -> Any:
        """Returns what `call` does; of features that are tensors, arrays and lists, Keras takes no mixture."""
        if self.encodings is not None and isinstance(features, Mapping):
            given = {key: keras.ops.is_tensor(value) for key, value in features.items()}
            if len(set(given.values())) == 2 and not any(map(_is_symbolic, features.values())):
                read = {key for column in self.columns for key in column.raw_features}
                features = {key: feature_of(features, key) for key in features if key in read}
        return super().__call__(features, *arguments, **keywords)

    @abstractmethod
    def call(self, features: Any) -> Any:
        """Returns what the layer makes of features."""

    def encode(self, features: Any) -> Any:
        """Returns encoded features, from raw ones or as they are."""
        if self.encodings is None:
            return features
        shared.check_compilable(self, self.columns)
        return self.encodings(features)

    def adapt(self, dataset: Any) -> None:
        """Learns the vocabularies and boundaries declared by `fc.from_data` and `fc.quantiles`, anew each time.

        Args:
            dataset: Batches of raw features, alone or with labels after them: a `tf.data.Dataset`, or any iterable.

        Raises:
            Refusal: The layer was called before, or the data lack a feature or values of it.
        """
        if self.built:
            raise Refusal(f"{type(self).__name__}: adapt(dataset) comes before the first call; make a new layer.")
        self.use(shared.adapted(self.declared, dataset))

    def check_learned(self) -> None:
        """Refuses to go on while a vocabulary or boundaries are still in the data.

        Raises:
            Refusal: A column waits for `adapt`.
        """
        for column in self.columns:
            if not shared.all_learned([column]):
                raise Refusal(
                    f"{type(self).__name__}: column '{column.name}' takes its vocabulary or boundaries from data; call "
                    "adapt(dataset) first."
                )

    def get_config(self) -> dict[str, Any]:
        """Returns the columns as dictionaries, without their vocabularies."""
        return {**super().get_config(), "columns": shared.to_config(self.columns), "encoded": self.encoded}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Makes the layer from its configuration; a saved model has the values of its tables and vocabularies."""
        return cls(**{**config, "columns": shared.from_config(config["columns"])})

    def save_assets(self, folder: str) -> None:
        """Writes the vocabularies, when Keras saves a model."""
        shared.save(folder, self.columns)

    def load_assets(self, folder: str) -> None:
        """Reads the vocabularies, when Keras loads a model."""
        ColumnsLayer.use(self, shared.loaded(folder, self.columns))


def _is_symbolic(value: Any) -> bool:
    return isinstance(value, keras.KerasTensor)
