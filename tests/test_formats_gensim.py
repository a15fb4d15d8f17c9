"""gensim opens what we save and we open what gensim saves, with any keys; gensim has an environment of its own."""

import json
import os
import random
import secrets
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainer.formats import word2vec

Array = np.ndarray[Any, np.dtype[Any]]
SAVERS: dict[str, Any] = {"text": word2vec.text, "binary": word2vec.binary}
EVERY = pytest.mark.parametrize("name", SAVERS)
LETTERS = [*"aZ09_\\.-+e\"'#{}<>/", "é", "ß", "東", "𝄞", "\u0301", "\xa0", "\u2028", "\x85", "\ufeff"]
FORBIDDEN = [" ", "\t", "\n", "\r", "\x00", "\x07", "\x1c", "\ud800", "\udc80"]
WILD = [
    "",
    " ",
    "New York",
    "day_hour",
    "a\tb",
    "two\nlines",
    "C:\\new",
    r"\n",
    "_",
    r"\_",
    "0.5",
    "nan",
    "東 京",
    "é" * 500,
]


def run(gensim: Path, folder: Path, program: str) -> None:
    """Runs a program that has gensim, in a folder."""
    program = f"import json\nimport numpy as np\nfrom gensim.models import KeyedVectors\n{program}"
    clean = {**os.environ, "PYTHONPATH": ""}
    done = subprocess.run([gensim, "-c", program], cwd=folder, env=clean, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def drawn(letters: list[str], more: list[str]) -> tuple[list[str], Array]:
    """Keys that differ, and vectors of any exponent; the seed is shown where a test fails."""
    seed = secrets.randbits(32)
    print("seed", seed)
    draw = random.Random(seed)
    words = {"".join(draw.choices(letters, k=draw.randint(1, 6))) for _ in range(500)}
    keys = list(dict.fromkeys([*more, *sorted(words)]))
    bits = np.random.default_rng(seed).integers(0, 2**32, (len(keys), 7), np.uint32).view(np.float32)
    return keys, np.where(np.isfinite(bits), bits, np.float32(0.1))


LOADED = """
vectors = KeyedVectors.load_word2vec_format("vectors", binary={})
json.dump(vectors.index_to_key, open("keys.json", "w"))
np.save("vectors.npy", vectors.vectors)
"""


@pytest.mark.slow
@EVERY
def test_gensim_opens_what_is_saved_with_any_keys(name: str, gensim: Path, tmp_path: Path) -> None:
    keys, values = drawn(LETTERS + FORBIDDEN, WILD)
    SAVERS[name].save(str(tmp_path / "vectors"), keys, values)
    run(gensim, tmp_path, LOADED.format(name == "binary"))
    assert json.loads((tmp_path / "keys.json").read_text()) == list(map(word2vec.form.ESCAPES.escape, keys))
    np.testing.assert_array_equal(np.load(tmp_path / "vectors.npy"), values)
    found = word2vec.load(str(tmp_path / "vectors"))
    assert found.keys == keys
    np.testing.assert_array_equal(found.values, values)


@pytest.mark.slow
@EVERY
def test_gensim_finds_keys_as_they_are_where_none_needs_an_escape(name: str, gensim: Path, tmp_path: Path) -> None:
    keys, values = drawn(LETTERS, [key for key in WILD if not set(key) & set(FORBIDDEN)])
    SAVERS[name].save(str(tmp_path / "vectors"), keys, values)
    run(gensim, tmp_path, LOADED.format(name == "binary"))
    assert json.loads((tmp_path / "keys.json").read_text()) == keys
    np.testing.assert_array_equal(np.load(tmp_path / "vectors.npy"), values)


SAVED = """
keys, values = json.load(open("keys.json")), np.load("vectors.npy")
vectors = KeyedVectors(values.shape[1])
vectors.add_vectors(keys, values)
for name in ("vectors", "vectors.gz"):
    vectors.save_word2vec_format(name, binary={})
"""


@pytest.mark.slow
@EVERY
def test_what_gensim_saves_is_loaded_with_any_keys_that_it_can_read_itself(
    name: str, gensim: Path, tmp_path: Path
) -> None:
    text = [" ", "\t", "\r", "\x1c"]  # in text a key may have these, though gensim itself cannot read a blank
    more = [key for key in WILD if name == "text" or not set(key) & set(FORBIDDEN)]
    keys, values = drawn(LETTERS + (text if name == "text" else []), [key for key in more if "\n" not in key])
    (tmp_path / "keys.json").write_text(json.dumps(keys))
    np.save(tmp_path / "vectors.npy", values)
    run(gensim, tmp_path, SAVED.format(name == "binary"))
    for file in ("vectors", "vectors.gz"):
        found = word2vec.load(str(tmp_path / file))
        assert found.keys == keys
        np.testing.assert_array_equal(found.values, values)
    if name == "binary":
        word2vec.binary.save(str(tmp_path / "ours"), keys, values)
        assert (tmp_path / "ours").read_bytes() == (tmp_path / "vectors").read_bytes()
