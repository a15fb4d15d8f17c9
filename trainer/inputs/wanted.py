"""What a problem wants of each feature, since texts do not tell what they are to be."""

import dataclasses
from collections.abc import Collection, Mapping

from trainer.feature_column import IdentityColumn, NumericColumn, RawFeature
from trainer.feature_column.collection import raw_features_of
from trainer.feature_column.nested import nested
from trainer.heads import BinaryHead, MultiClassHead
from trainer.inputs.values import Wanted
from trainer.problem import ByValue, Grouped, Problem, Share


def wanted_of(problem: Problem, dtypes: Mapping[str, str], keys: Collection[str]) -> dict[str, Wanted]:
    """Returns what is wanted of features, by key.

    Args:
        problem: Whose columns, label and weights are read.
        dtypes: Of the features that its model reads.
        keys: All features that are read.
    """
    if problem.walks is not None:  # of whose edges the features are made
        return {key: Wanted("string", is_required=True) for key in sorted(keys)}
    found = {key: Wanted("string") for key in sorted(keys)}
    if isinstance(problem.validation, ByValue) and not isinstance(problem.validation.values[0], str):
        found[problem.validation.key] = Wanted("int64")
    if problem.weight_column is not None:
        found[problem.weight_column] = Wanted("float32", is_required=True)
    if problem.label is not None:
        found[problem.label] = _label(problem)
    raw, separators = _raw_features(problem), problem.bags if isinstance(problem.bags, Mapping) else {}
    defaults, sizes = _defaults(problem), _sizes(problem)
    for key, dtype in dtypes.items():
        shape = raw[key].shape if key in raw else ()
        label = found[key] if key == problem.label else None
        required, above = (False, None) if label is None else (label.is_required, label.above)
        least = 0 if key in sizes else None
        found[key] = Wanted(
            dtype, shape, separators.get(key), defaults.get(key), required, least, sizes.get(key), above=above
        )
    return found if problem.grouped is None else {**found, **_of_groups(problem.grouped, found, dtypes)}


def features_wanted(problem: Problem, dtypes: Mapping[str, str]) -> dict[str, Wanted]:
    """Returns what is wanted of the features that a model reads, by key, without label and weight.

    Args:
        problem: Whose columns are read.
        dtypes: Of the features that its model reads.
    """
    bare = dataclasses.replace(problem, label=None, weight_column=None, validation=Share(), grouped=None, walks=None)
    return wanted_of(bare, dtypes, dtypes)


def _raw_features(problem: Problem) -> dict[str, RawFeature]:
    """Returns the raw features as rows have them: of rows that are grouped, one value of a bag."""
    bags = problem.bags if problem.grouped is None else ()
    return raw_features_of(problem.columns, bags)


def _of_groups(how: Grouped, found: Mapping[str, Wanted], dtypes: Collection[str]) -> dict[str, Wanted]:
    """Returns what is wanted of the features that tell a row's group, and whether it counts."""
    numbers = {key: Wanted("float32", is_required=True) for key in how.least if key not in dtypes}
    return {**numbers, how.by: dataclasses.replace(found[how.by], is_required=True)}


def _label(problem: Problem) -> Wanted:
    head = problem.head
    if head.label_vocabulary is not None:
        return Wanted("string", is_required=True, among=tuple(head.label_vocabulary))
    if isinstance(head, BinaryHead):
        return Wanted("int64", is_required=True, least=0, below=2)
    if isinstance(head, MultiClassHead):
        return Wanted("int64", is_required=True, least=0, below=head.num_classes)
    return Wanted("float32", is_required=True, above=head.label_above)


def _defaults(problem: Problem) -> dict[str, tuple[float, ...]]:
    parts = [part for column in problem.columns for part in nested(column)]
    numeric = [part for part in parts if isinstance(part, NumericColumn)]
    return {part.key: part.default_value for part in numeric if part.default_value is not None}


def _sizes(problem: Problem) -> dict[str, int]:
    """Returns the number of ids of the features whose ids outside of it are refused."""
    parts = [part for column in problem.columns for part in nested(column)]
    identity = [part for part in parts if isinstance(part, IdentityColumn) and part.default_value is None]
    return {part.key: min(each.num_buckets for each in identity if each.key == part.key) for part in identity}
