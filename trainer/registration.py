"""`keras.models.load_model` finds the package's layers after `import trainer`, which loads no TensorFlow for it."""

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

PACKAGE = "trainer"
"""What Keras writes before the names of these classes, as `trainer>DenseFeatures`."""

CLASSES = {
    "CountError": "trainer.heads.counts",
    "CountErrorOverMean": "trainer.heads.counts",
    "CountLogarithmError": "trainer.heads.counts",
    "PoissonLoss": "trainer.heads.counts",
    "DeterminationShare": "trainer.heads.metrics",
    "MedianAbsoluteError": "trainer.heads.metrics",
    "ScaledError": "trainer.heads.metrics",
    "ScaledSquaredError": "trainer.heads.metrics",
    "SquaredErrors": "trainer.migration.estimator.numbers",
    "RMSprop": "trainer.migration.estimator.rms_prop",
    "Coverage": "trainer.heads.ranking",
    "NDCG": "trainer.heads.ranking",
    "Recall": "trainer.heads.ranking",
    "BagInput": "trainer.layers",
    "DenseFeatures": "trainer.layers",
    "EmbeddingTable": "trainer.layers",
    "Encoder": "trainer.layers",
    "LinearModel": "trainer.layers",
    "Pooling": "trainer.layers",
    "SequenceFeatures": "trainer.layers",
    "Adagrad": "trainer.optimizers",
    "Ftrl": "trainer.optimizers",
    "LazyAdam": "trainer.optimizers",
    "LossScaleOptimizer": "trainer.optimizers",
    "Parts": "trainer.optimizers",
    "RowWiseAdagrad": "trainer.optimizers",
    "SGD": "trainer.optimizers",
}


def register() -> None:
    """Registers the classes with Keras now, or when Keras is imported."""
    if "keras" in sys.modules:
        _register()
    else:
        sys.meta_path.insert(0, _KerasFinder())


def _register() -> None:
    import keras

    known = keras.saving.get_custom_objects()
    for name, module in CLASSES.items():
        # The class itself registers when its module is imported, and then takes this one's place.
        known.setdefault(f"{PACKAGE}>{name}", type(name, (_Later,), {"place": (module, name)}))


class _Later:
    """Stands for a class until a saved model asks for it."""

    place: tuple[str, str]

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        module, name = cls.place
        return getattr(importlib.import_module(module), name).from_config(config)


class _KerasFinder(MetaPathFinder):
    """Waits until Keras is imported; to look for it, as TensorFlow does, imports nothing yet."""

    _asking = False

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        del path, target
        if name != "keras" or self._asking:
            return None
        self._asking = True
        try:
            found = find_spec(name)
        finally:
            self._asking = False
        if found is not None and found.loader is not None:
            found.loader = _Registering(found.loader, self)
        return found


class _Registering(Loader):
    """Loads a module as another loader does, and registers then."""

    def __init__(self, loader: Loader, finder: _KerasFinder) -> None:
        self._loader, self._finder = loader, finder

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        sys.meta_path.remove(self._finder)
        self._loader.exec_module(module)
        if module.__spec__ is not None:
            module.__spec__.loader = module.__loader__ = self._loader
        _register()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)
