"""What every row-sparse optimizer does: sum a gradient's duplicates, clip the sums, touch only the rows it names."""

from typing import Any

import keras
import tensorflow as tf

from trainer.errors import Refusal
from trainer.optimizers import remote
from trainer.optimizers.copies import here
from trainer.segments import segment_sums


def summed(gradient: tf.IndexedSlices) -> tf.IndexedSlices:
    """Returns the gradient with each row named once, the values of its duplicates added.

    Scatter and sparse-apply ops race on duplicate ids; and an update that is not linear in the gradient, Adagrad's for
    one, is defined on the sum.

    Args:
        gradient: Values `(n, dimension)` at indices `(n,)`.

    Returns:
        Values `(unique, dimension)` at indices `(unique,)`, in the order in which the indices first came; those of
        bfloat16 as float32.
    """
    ids, places = tf.unique(gradient.indices)  # (unique,), (n,)
    values = gradient.values
    values = tf.cast(values, tf.float32) if values.dtype == tf.bfloat16 else values
    values = segment_sums(values, places, tf.size(ids))  # (unique, dimension)
    return tf.IndexedSlices(values, ids, gradient.dense_shape)


def is_stored_short(variable: Any) -> bool:
    """Tells whether a variable is a table in bfloat16."""
    return bool(getattr(variable, "is_table", False)) and keras.backend.standardize_dtype(variable.dtype) == "bfloat16"


def rounded(values: Any, seed: Any) -> Any:
    """Returns values as bfloat16, each rounded up or down at random so that it is right on average.

    To the nearest, a weight would stay as it is under every step smaller than 1/512 of it.

    Args:
        values: float32.
        seed: Two whole numbers; the same give the same.

    Source:
        Gupta, Agrawal, Gopalakrishnan and Narayanan, "Deep learning with limited numerical precision", 2015.
    """
    noise = tf.random.stateless_uniform(tf.shape(values), seed, minval=None, maxval=None, dtype=tf.uint32)
    bits = tf.bitcast(values, tf.uint32) + tf.bitwise.right_shift(noise, 16)
    return tf.cast(tf.bitcast(tf.bitwise.bitwise_and(bits, 0xFFFF0000), tf.float32), tf.bfloat16)


class RowSparse(keras.optimizers.Optimizer):
    """An optimizer that updates only the rows of a table that a step has used.

    A subclass adds to a Keras optimizer the method `updated`; dense gradients get that optimizer's own update.
    `weight_decay` is decoupled: `w ← w - rate · weight_decay · w`, and then the update. A dense variable decays as in
    Keras, whole; of a variable with a sparse gradient only the rows decay that the step used.

    Source:
        Loshchilov and Hutter, "Decoupled weight decay regularization", 2019.
    """

    averages_evenly = False
    """With `use_ema`, whether the average of the first steps is their mean, until `ema_momentum` leaves more of it; in
    Keras's own form the weights of the first step count for long."""

    def apply(self, grads: list[Any], trainable_variables: list[Any] | None = None) -> None:
        """Applies gradients, dense or sparse, to their variables.

        Raises:
            Refusal: A gradient is sparse, and an argument of the optimizer or a constraint needs the whole table, or
                XLA compiles the step.
        """
        if trainable_variables is not None or self.built:
            variables = list(self._trainable_variables if trainable_variables is None else trainable_variables)
            pairs = zip(grads, variables, strict=False)
            self._check_tables([variable for gradient, variable in pairs if isinstance(gradient, tf.IndexedSlices)])
        super().apply(grads, trainable_variables)

    def add_variable_from_reference(
        self, reference_variable: Any, name: str | None = None, initializer: Any = "zeros"
    ) -> Any:
        """Makes a slot of a variable; that of a table has the shape of `slot_shape`, and is never of bfloat16."""
        if isinstance(initializer, keras.initializers.Constant):
            initializer = _filled(initializer.value)
        made = self._slot(reference_variable, name, initializer)
        part = remote.rows_of(reference_variable)
        if part is not None:
            remote.mark(made, *part)
        return made

    def _slot(self, reference_variable: Any, name: str | None, initializer: Any) -> Any:
        shape = self.slot_shape(reference_variable, name)
        if shape == reference_variable.shape and not is_stored_short(reference_variable):
            return super().add_variable_from_reference(reference_variable, name, initializer)
        path = reference_variable.path.replace("/", "_")
        dtype = "float32" if is_stored_short(reference_variable) else reference_variable.dtype
        with self._distribution_strategy.extended.colocate_vars_with(reference_variable.value):
            return self.add_variable(shape, initializer, dtype, name=f"{path}_{name}")

    def slot_shape(self, variable: Any, name: str | None) -> tuple[int, ...]:
        """Returns the shape of a slot of a variable."""
        del name
        return tuple(variable.shape)

    def updated(self, weights: Any, gradient: Any, ids: Any, variable: Any, learning_rate: Any) -> Any:
        """Returns what rows of a variable become, and updates its slots there.

        Args:
            weights: The rows, `(unique, dimension)`.
            gradient: Theirs, `(unique, dimension)`.
            ids: Which rows they are, `(unique,)`.
            variable: The variable, to find its slots by.
            learning_rate: Of this step.
        """
        raise NotImplementedError

    def _update_model_variables_moving_average(self, trainable_variables: list[Any]) -> None:
        if not self.averages_evenly:
            super()._update_model_variables_moving_average(trainable_variables)
            return
        steps = tf.cast(self.iterations.value, tf.float32)
        left = tf.minimum(self.ema_momentum, steps / (steps + 1.0))
        for variable, average in zip(trainable_variables, self._model_variables_moving_average, strict=False):
            if average is not None:
                average.assign_add((1.0 - left) * (tf.cast(variable.value, average.value.dtype) - average.value))

    def update_whole(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Updates a variable, given a dense gradient of its shape."""
        super().update_step(gradient, variable, learning_rate)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Updates a variable, or only the rows that a sparse gradient names; weights decay before."""
        variable = variable.value if isinstance(variable, keras.Variable) else variable
        short = is_stored_short(self._trainable_variables[self._get_variable_index(variable)])
        dtype = tf.float32 if short else variable.dtype
        decay = tf.cast(self.weight_decay, dtype) if self._decays(variable) else None
        rate = tf.cast(learning_rate, dtype)
        if short and not isinstance(gradient, tf.IndexedSlices):
            gradient = tf.IndexedSlices(gradient, tf.range(variable.shape[0]), tf.shape(gradient))
        if not isinstance(gradient, tf.IndexedSlices):
            with remote.beside(variable):
                if decay is not None:
                    variable.assign_sub(variable * decay * rate)
                self.update_whole(gradient, variable, rate)
            return
        rows = summed(gradient)

        def update(ids: Any, gradient: Any, rate: Any) -> None:
            self.update_rows(ids, gradient, variable, rate, decay)

        remote.update_alone(variable, update, (rows.indices, tf.cast(rows.values, dtype), rate))

    def update_rows(self, ids: Any, gradient: Any, variable: Any, rate: Any, decay: Any = None) -> None:
        """Updates the rows `ids` `(unique,)` of a variable, given their gradient `(unique, dimension)`."""
        weights = tf.cast(tf.gather(variable, ids), gradient.dtype)  # (unique, dimension)
        if decay is not None:
            weights -= weights * decay * rate
        weights = self.updated(weights, gradient, ids, variable, rate)
        if variable.dtype != weights.dtype:
            place = self._get_variable_index(variable)
            weights = rounded(weights, tf.stack([tf.cast(self.iterations.value, tf.int64), place]))
        # To write what was read and changed takes a tenth of the time of scatter_sub.
        variable.scatter_update(tf.IndexedSlices(weights, ids))

    def slot(self, slots: list[Any], variable: Any) -> Any:
        """Returns the slot of a variable as TensorFlow's variable, so that its rows can be read and written."""
        return here(slots[self._get_variable_index(variable)].value)

    def _decays(self, variable: Any) -> bool:
        return self.weight_decay is not None and bool(self._use_weight_decay(variable))

    def _apply_weight_decay(self, variables: list[Any]) -> None:
        # Keras decays every variable whole, before the update; here update_step does, which knows the rows.
        del variables

    def _clip_gradients(self, gradients: list[Any]) -> list[Any]:
        clips = any(limit and limit > 0 for limit in (self.global_clipnorm, self.clipnorm, self.clipvalue))
        if not clips and tf.distribute.get_strategy().num_replicas_in_sync == 1:
            return gradients  # update_step sums.
        # Keras clips the parts of a duplicated row one by one and makes a global norm dense; replicas send sums.
        gradients = [summed(g) if isinstance(g, tf.IndexedSlices) else g for g in gradients]
        if self.global_clipnorm and self.global_clipnorm > 0:
            return list(tf.clip_by_global_norm(gradients, self.global_clipnorm)[0])
        if self.clipnorm and self.clipnorm > 0:
            return [tf.clip_by_norm(gradient, self.clipnorm) for gradient in gradients]
        if self.clipvalue and self.clipvalue > 0:
            return [_clipped(gradient, self.clipvalue) for gradient in gradients]
        return gradients

    def _check_tables(self, tables: list[Any]) -> None:
        """Refuses what variables with sparse gradients cannot have."""
        whole = {
            "a constraint": any(getattr(table, "constraint", None) for table in tables),
            "use_ema": self.use_ema and not self.averages_evenly,  # a problem that averages says that it knows
            "gradient_accumulation_steps": self.gradient_accumulation_steps,
            "loss_scale_factor": self.loss_scale_factor,
        }
        for argument, value in whole.items():
            if value and tables:
                raise Refusal(
                    f"{type(self).__name__}: {argument} reads and writes every row of a table at every step, which is "
                    "what a row-sparse optimizer avoids; leave it out, or use a stock Keras optimizer."
                )
        if tables and tf.__internal__.get_enclosing_xla_context() is not None:
            # It compiles, and gives rows that repeat in a batch wrong updates (TensorFlow 2.21.0).
            raise Refusal(
                f"{type(self).__name__}: a row-sparse update compiled by XLA is wrong where a batch repeats an id; "
                "give model.compile jit_compile=False, or leave jit_compile=True out of the tf.function."
            )


def _filled(value: float) -> Any:
    # Keras multiplies a tensor of ones, which takes three times the memory of the slot.
    return lambda shape, dtype: tf.fill(shape, tf.cast(value, dtype))


def _clipped(gradient: Any, limit: float) -> Any:
    if isinstance(gradient, tf.IndexedSlices):
        values = tf.clip_by_value(gradient.values, -limit, limit)
        return tf.IndexedSlices(values, gradient.indices, gradient.dense_shape)
    return tf.clip_by_value(gradient, -limit, limit)
