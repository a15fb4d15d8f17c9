"""Which words stand near each other in texts: a vector for each word."""

from typing import Any

from trainer import feature_column as fc
from trainer.heads import SkipGramHead
from trainer.measures import Analogies, Similarities
from trainer.problem import Problem, Range, Share, TextFormat

WORD = "[a-z]+(?:'[a-z]+)?"
"""A word of English, or of any language that is written with these letters alone; 'isn't' is one."""

TOPICS = (
    "ship sail harbour captain mast deck anchor shore tide storm",
    "violin song choir opera tune piano dance melody drum concert",
    "bread butter cheese apple soup supper kitchen salt honey wine",
    "snow frost winter ice coat fire cold stove fur december",
)
PLANTED_TEXTS, PLANTED_WORDS, PLANTED_SHARE = {"train": 400, "test": 40}, 60, 0.3


def problem(
    *,
    top_k: int | None = None,
    min_count: int = 5,
    window: int = 5,
    negatives: int = 5,
    subsample: float = 1e-3,
    pattern: str = WORD,
    lines: bool = False,
    analogies: str | None = None,
    similarities: str | None = None,
) -> Problem:
    """Returns the problem.

    Args:
        top_k: how many words have a vector, the most frequent (default: all that are frequent enough).
        min_count: how often a word must be in the training texts to have one.
        window: how far words stand at most that are learned to stand near each other.
        negatives: how many random words each is told apart from.
        subsample: a word with a larger share of all than this is left out at random, the more the more frequent it is.
        pattern: what a word is, as a regular expression, after capitals have become small letters.
        lines: take each line as a text of its own, such as a sentence, and no window reaches over its end.
        analogies: a file of questions such as questions-words.txt, to be answered once the training has ended.
        similarities: a file of pairs of words and how alike people find them, such as WordSim-353.
    """
    words = fc.categorical_column_with_vocabulary_list(
        "text", fc.from_data(top_k=top_k, frequency_threshold=min_count), tokenize=fc.Tokens(pattern)
    )
    return Problem(
        dataset=None,
        dnn_feature_columns=[fc.embedding_column(words, 100, name="word", initializer="uniform")],
        head=SkipGramHead("word", window=window, negatives=negatives, subsample=subsample),
        texts=TextFormat(characters=2048, lines=lines),
        dnn_optimizer="Adagrad",
        learning_rate=0.5,
        learning_rate_decay="linear",
        validation=Share(0.01),
        test_share=0.01,
        num_epochs=5,
        train_batch_size=512 if lines else 24,
        planted=planted,
        measures=[
            *([] if analogies is None else [Analogies(analogies)]),
            *([] if similarities is None else [Similarities(similarities)]),
        ],
        search={"learning_rate": Range(0.1, 1.0, scale="log"), "dimension.word": (50, 100, 200, 300)},
    )


def planted(split: str) -> dict[str, Any]:
    """Returns texts of which each is about one thing: words of it, and between them words of any."""
    import numpy as np  # loaded with the data alone

    draws = np.random.default_rng(2001 if split == "train" else 2002)
    about = [topic.split() for topic in TOPICS]
    texts = []
    for _ in range(PLANTED_TEXTS[split]):
        words = draws.choice(about[draws.integers(len(about))], PLANTED_WORDS)
        words[draws.random(PLANTED_WORDS) < PLANTED_SHARE] = "and"
        texts.append(" ".join(words))
    return {"text": np.array(texts)}
