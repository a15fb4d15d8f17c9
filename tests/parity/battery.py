"""A strategy of cases for each function of `tf.feature_column`."""

from hypothesis import strategies as st

from tests.parity.declared import Declared
from tests.parity.generated import (
    Case,
    Kind,
    bucketized,
    crossed,
    embedding,
    hash_bucket,
    identity,
    indicator,
    numeric,
    plain,
    sequence,
    sequence_numeric,
    shared,
    shared_steps,
    sizes,
    vocabulary_file,
    vocabulary_list,
    weighted,
)

any_size = st.one_of(sizes, st.sampled_from([1000, 2**31, 2**40]))


class Battery:
    """A strategy of cases for each function of `tf.feature_column`.

    Args:
        words: The path of a text file of `VOCABULARY`.
        records: Of a compressed file of records of the same.
        numbers: Of a text file of `FILE_NUMBERS`.
    """

    def __init__(self, words: str, records: str, numbers: str) -> None:
        self.file = vocabulary_file(words, records, numbers)
        self.kinds = st.one_of(identity(), vocabulary_list(), self.file)

    def cases(self, function: str) -> st.SearchStrategy[Case]:
        """Returns the cases of a function."""
        return st.integers(1, 4).flatmap(lambda batch: self._of(batch)[function])

    def layers(self) -> st.SearchStrategy[list[Case]]:
        """Returns columns to stand beside each other in one layer, whose names are not in the order given."""
        keys = st.permutations(["a", "a_", "a.b", "B", "b", "a0"])
        return st.tuples(st.integers(1, 4), keys, st.integers(2, 4)).flatmap(
            lambda drawn: st.tuples(*(self._dense(drawn[0], key) for key in drawn[1][: drawn[2]])).map(list)
        )

    def _of(self, batch: int) -> dict[str, st.SearchStrategy[Case]]:
        key = "key"
        any_one = st.one_of(self._bag(batch, key), self._steps(batch, key))
        sequences = {
            name: self._in_layer(sequence(kind, batch, key))
            for name, kind in (
                ("hash_bucket", hash_bucket()),
                ("identity", identity()),
                ("vocabulary_file", self.file),
                ("vocabulary_list", vocabulary_list()),
            )
        }
        return {
            "bucketized_column": self._in_layer(bucketized(batch, key)),
            "categorical_column_with_hash_bucket": plain(hash_bucket(any_size), batch, key),
            "categorical_column_with_identity": plain(identity(), batch, key),
            "categorical_column_with_vocabulary_file": plain(self.file, batch, key),
            "categorical_column_with_vocabulary_list": plain(vocabulary_list(), batch, key),
            "crossed_column": crossed(self.kinds, batch, key, any_size),
            "embedding_column": embedding(any_one),
            "indicator_column": indicator(any_one),
            "make_parse_example_spec": self._spec(batch),
            "numeric_column": numeric(batch, key),
            **{f"sequence_categorical_column_with_{name}": cases for name, cases in sequences.items()},
            "sequence_numeric_column": sequence_numeric(batch, key),
            "shared_embeddings": self._shared(batch),
            "weighted_categorical_column": self._in_layer(self._weighted(batch, key)),
        }

    def _in_layer(self, column: st.SearchStrategy[Case]) -> st.SearchStrategy[Case]:
        return st.one_of(column, embedding(column), indicator(column))

    def _bag(self, batch: int, key: str) -> st.SearchStrategy[Case]:
        one = plain(st.one_of(self.kinds, hash_bucket()), batch, key)
        return st.one_of(one, bucketized(batch, key), crossed(self.kinds, batch, key), self._weighted(batch, key))

    def _weighted(self, batch: int, key: str) -> st.SearchStrategy[Case]:
        one = plain(st.one_of(self.kinds, hash_bucket()), batch, key)
        # TensorFlow gives the ranges of several numbers the same ids where they have weights, and we do not.
        ranges = bucketized(batch, key).filter(lambda case: case.rows[key].cells.shape == (batch, 1))
        return weighted(st.one_of(one, one, ranges, crossed(self.kinds, batch, key, holes=False)), key)

    def _steps(self, batch: int, key: str) -> st.SearchStrategy[Case]:
        return sequence(st.one_of(self.kinds, hash_bucket()), batch, key)

    def _dense(self, batch: int, key: str) -> st.SearchStrategy[Case]:
        bag = self._bag(batch, key)
        return st.one_of(numeric(batch, key), bucketized(batch, key), indicator(bag), embedding(bag))

    def _spec(self, batch: int) -> st.SearchStrategy[Case]:
        one = st.one_of(self._dense(batch, "a"), self._bag(batch, "a"), indicator(self._steps(batch, "a")))
        other = st.one_of(self._dense(batch, "b"), sequence_numeric(batch, "b", widest=1))
        return st.tuples(one, other).map(
            lambda both: Case(
                Declared("make_parse_example_spec", (tuple(case.declared for case in both),)),
                both[0].rows | both[1].rows,
            )
        )

    def _shared(self, batch: int) -> st.SearchStrategy[Case]:
        def alike(kind: Kind) -> st.SearchStrategy[Case]:
            def bag(key: str) -> st.SearchStrategy[Case]:
                one = plain(st.just(kind), batch, key)
                return st.one_of(one, weighted(one, key))

            return st.one_of(shared(bag), sequence(st.just(kind), batch, "a").flatmap(shared_steps))

        def cross(key: str) -> st.SearchStrategy[Case]:
            return crossed(self.kinds, batch, key, st.just(7))

        # In a graph TensorFlow counts a file of records to a tensor, and finds no two of them equal.
        sized = self.file.filter(lambda kind: kind[1][1] is not None)
        return st.one_of(st.one_of(identity(), vocabulary_list(), hash_bucket(), sized).flatmap(alike), shared(cross))
