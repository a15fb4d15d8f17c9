"""A trained canned Estimator as an ordinary Keras 3 model, with all its weights."""

from typing import Any

import keras

from trainer import models
from trainer.migration.estimator import checkpoint
from trainer.migration.estimator.arguments import taken
from trainer.migration.estimator.filling import Filled, fill

__all__ = ["Filled", "checkpoint", "fill", "from_estimator"]

WHO = "from_estimator"


def from_estimator(model_dir: str, estimator: str | None = None, **arguments: Any) -> keras.Model:
    """Returns the model of a trained canned Estimator, with the weights of its latest checkpoint.

    The model answers as the Estimator does: raw features to logits. It is compiled with the Estimator's loss and its
    optimizers, which go on from what those of the checkpoint had noted of each weight: the sums of Adagrad and FTRL,
    the moments of Adam, the velocity of SGD in Keras 2. Tables are updated by the rows that a step has used; Adam is
    `optimizers.LazyAdam`, which lets the moments of other rows wait.

    Args:
        model_dir: The folder that the Estimator was trained in, the prefix of a checkpoint, or an exported SavedModel,
            which has no optimizer.
        estimator: The name of its class, as "DNNClassifier"; None is `DNNLinearCombinedRegressor` where there is a
            `label_dimension`, else `DNNLinearCombinedClassifier`. Of a dimension above 1 the head is a `NumbersHead`.
        arguments: What the class was called with, in its own words or those of `DNNLinearCombined…`:
            `linear_feature_columns`, `linear_optimizer`, `linear_sparse_combiner`, `dnn_feature_columns`,
            `dnn_optimizer`, `dnn_hidden_units`, `dnn_activation_fn`, `dnn_dropout`, `batch_norm`, `n_classes`,
            `label_dimension`, `label_vocabulary`, `weight_column`, `loss_reduction`. Columns are of
            `tf.feature_column` or of `trainer.feature_column`. What is left out is what it was by default in
            `tf.compat.v1.estimator` or in `tf.estimator`, whichever wrote the checkpoint, and in the latter where no
            optimizer has left anything that tells, as in an export. `bags` names the features with any number of
            values an example, beside those of weighted columns. What says nothing of a trained model, as `config` and
            `partitioner`, is passed over.

    Returns:
        A compiled Keras model, a dictionary of `(batch,)` tensors, of bags `(batch, None)`, to `(batch, units)`.

    Raises:
        Refusal: There is no checkpoint of an Estimator, an argument cannot be used, or a weight has no tensor or a
            tensor no weight; the sentence lists both sides.

    Example:
        >>> from trainer import feature_column as fc
        >>> hour = fc.embedding_column(fc.categorical_column_with_identity("hour", 24), 3)
        >>> from_estimator("no/such/folder", "DNNClassifier", feature_columns=[hour], hidden_units=[8])
        Traceback (most recent call last):
            ...
        trainer.errors.Refusal: from_estimator: no/such/folder holds no checkpoint; give the model_dir that the Estimator was trained in, or the prefix of one of its checkpoints.
    """  # noqa: E501  # a doctest compares whole lines
    declared, found = taken(estimator, arguments), checkpoint.opened(model_dir, WHO)
    problem = declared.problem(found.is_of_version_1)
    model = models.assembled(problem)
    models.compiled(model, problem, optimizer=declared.optimizer(model, found.is_of_version_1))
    fill(model, problem, found, WHO)
    return model
