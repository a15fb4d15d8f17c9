"""What a table is worth by files of questions, as a person and as a program read it."""

from typing import TYPE_CHECKING, Any

from trainer.terminal import aligned, shown

if TYPE_CHECKING:
    from trainer.vectors.analogies import AnsweredAnalogies, AnsweredSection
    from trainer.vectors.labelled import LabelledVectors


def worth(
    vectors: "LabelledVectors", analogies: str | None, similarities: str | None
) -> tuple[dict[str, Any], list[str]]:
    """Returns what is measured of a table, as JSON can hold it, and the lines that tell it.

    Args:
        vectors: The table.
        analogies: The path of a file of analogies, or None.
        similarities: The path of a file of pairs of words, or None.

    Raises:
        Refusal: A file cannot be read as such.
    """
    content: dict[str, Any] = {}
    lines: list[str] = []
    if analogies is not None:
        answers = vectors.evaluate_word_analogies(analogies)
        content["analogies"] = {"file": analogies, **answers.to_dict()}
        lines += [*_sections(answers), f"{'analogies':<12} {answers.line}"]
    if similarities is not None:
        pairs = vectors.evaluate_word_pairs(similarities)
        content["similarities"] = {"file": similarities, **pairs.to_dict()}
        lines.append(f"{'similarities':<12} {pairs.line}")
    return content, lines


def _sections(answers: "AnsweredAnalogies") -> list[str]:
    header = ["section", "right", "total", "accuracy", "out of vocabulary"]
    rows = [_row(shown(section.name), section) for section in answers.sections]
    return aligned([header, *rows, _row("all", answers.total)], right=(1, 2, 3, 4))


def _row(name: str, section: "AnsweredSection") -> list[str]:
    accuracy = "-" if section.accuracy is None else f"{section.accuracy:.3f}"
    counts = (len(section.correct), section.total, section.out_of_vocabulary)
    right, total, outside = (f"{count:,}" for count in counts)
    return [name, right, total, accuracy, outside]
