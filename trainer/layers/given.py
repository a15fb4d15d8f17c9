"""How the layers of this folder take what they are given."""

import keras


def as_given(layer: keras.layers.Layer) -> None:
    """Lets a layer take strings, lists and ragged values as they are: Keras refuses or casts some of them."""
    layer._convert_input_args = False
    layer._allow_non_tensor_positional_args = True
    layer.supports_jit = False
