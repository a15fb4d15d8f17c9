"""A suggestion as a file of Python, which a person reads, changes and trains."""

import itertools
import textwrap
from collections.abc import Iterator

from trainer.rows import CsvFormat
from trainer.suggestion.python import wrapped, written
from trainer.suggestion.suggestion import Suggestion
from trainer.terminal import shown

WIDTH = 110

# Chosen on the validation rows of adult, nyc_listings_min and MovieLens's ratings.
_UNITS = "(64, 32)"
_RATE, _DROPOUT = 0.005, 0.2


_ON_JUDGEMENTS = (
    "Each row is what one {0} says of one {1}, and this model tells what somebody would say of a given one. To "
    "recommend, something else is better: to learn from the bag of all that one {0} has chosen what goes with it, a "
    "softmax over every {1}, judged by recall on people held out. --split-by {0} asks how this model does with people "
    "that it has not seen."
)


def source(suggestion: Suggestion, files: str, csv: CsvFormat | None = None) -> str:
    """Returns the text of a file with a problem.

    Args:
        suggestion: For the files.
        files: The pattern of their names.
        csv: How they are written, where that was said.
    """
    blocks = [
        _docstring(suggestion, files),
        _imports(suggestion, csv),
        *_functions(suggestion),
        *_columns(suggestion),
        *_problem(suggestion, files, csv),
    ]
    text = blocks[0]
    for before, block in itertools.pairwise(blocks):
        text += f"\n\n\n{block}" if "def " in (before[:4], block[:4]) else f"\n\n{block}"
    return f"{text}\n"


def _docstring(suggestion: Suggestion, files: str) -> str:
    label, found = suggestion.label, suggestion.found
    used = sorted({part.key for part in suggestion.parts})
    others = [column for column in found.columns if column.name != label.column.name]
    name, about = shown(files.rpartition("/")[2]), shown(label.column.name)
    first = f"{about} from {len(used)} of {len(others)} other columns of {name}, as suggested."
    parts = [first, "    python -m trainer.task --problem THIS_FILE.py"]
    missing = label.column.missing
    if missing:
        parts.append(f"{missing:,} of {found.rows:,} rows have no label: --max-bad-rows {missing} sets them aside.")
    if suggestion.people is not None:
        parts.append(textwrap.fill(_ON_JUDGEMENTS.format(*map(shown, suggestion.people)), WIDTH))
    quotes = '"' * 3
    text = "\n\n".join(parts).replace("\\", "\\\\").replace(quotes, "'" * 3)
    return f"{quotes}{text}\n{quotes}"


def _imports(suggestion: Suggestion, csv: CsvFormat | None) -> str:
    of_label = suggestion.label.made.values()
    made = "".join([*_made(suggestion), *of_label, *(line for part in suggestion.parts for line in part.before)])
    names = ["CsvFormat"] if csv is not None else []
    head = suggestion.label.head.partition("(")[0]
    lines = ["import re", ""] if "words(" in made else []
    lines += ["import numpy as np", ""] if "np." in made or "words(" in made else []
    lines.append("from trainer import feature_column as fc")
    if any(part.before for part in suggestion.parts):
        lines[-1] = "from trainer import feature_column as fc\nfrom trainer import times"
    lines += [f"from trainer.heads import {head}"]
    lines += [f"from trainer.problem import {', '.join(sorted([*names, 'Files', 'Problem']))}"]
    return "\n".join(lines)


def _made(suggestion: Suggestion) -> list[str]:
    made = {name: text for part in suggestion.parts for name, text in part.made.items()}
    return [f"        {written(name)}: {text}," for name, text in made.items()]


def _made_of_label(suggestion: Suggestion) -> list[str]:
    key = written(suggestion.label.column.name)
    lines = [f"        made[{written(name)}] = {text}" for name, text in suggestion.label.made.items()]
    return [f"    if {key} in rows:  # and not where it is to be predicted", *lines] if lines else []


def _functions(suggestion: Suggestion) -> Iterator[str]:
    made, before = _made(suggestion), [line for part in suggestion.parts for line in part.before]
    if any("words(" in text for text in made):
        yield (
            "def words(texts):\n"
            '    """Returns the words of each text in small letters, with blanks between them."""\n'
            '    return np.array([" ".join(re.findall(r"\\w+", text.lower())) for text in texts], object)'
        )
    of_label = _made_of_label(suggestion)
    if not made and not of_label:
        return
    lines = [
        "def from_rows(rows):",
        '    """Returns the features of rows, whose columns are arrays of strings by name."""',
        *(f"    {line}" for line in before),
        "    made = {",
        "        **rows,",
        *made,
        "    }",
        *of_label,
        "    return made",
    ]
    yield "\n".join(lines)


def _columns(suggestion: Suggestion) -> Iterator[str]:
    for part in suggestion.parts:
        yield f"{_comment(f'{part.key}: {part.reason}')}\n{wrapped(f'{part.variable} = {part.declaration}', WIDTH)}"
    for cross in suggestion.crosses:
        line = f"{cross.part.variable} = {cross.part.declaration}"
        if cross.is_worth:
            yield f"{_comment(cross.part.reason)}\n{line}"
        else:
            yield f"{_comment(f'{cross.part.reason} That may be chance, so it is left to you.')}\n# {line}"
    if suggestion.left_out:
        lines = [_comment(f"{each.name}: {each.reason}", "#   ") for each in suggestion.left_out]
        yield "\n".join(["# Left out:", *lines])


def _problem(suggestion: Suggestion, files: str, csv: CsvFormat | None) -> Iterator[str]:
    columns = ", ".join(part.variable for part in suggestion.parts)
    crosses = [cross.part.variable for cross in suggestion.crosses if cross.is_worth]
    bags = {key: separator for part in suggestion.parts for key, separator in part.bags.items()}
    epochs, batch = _pace(suggestion.found.rows)
    given = {
        "dataset": f"Files({written(files)})",
        "csv": "" if csv is None else _csv(csv),
        "from_rows": "from_rows" if [*_made(suggestion), *_made_of_label(suggestion)] else "",
        "bags": written(bags) if bags else "",
        "dnn_feature_columns": "[fc.embedding_column(column) for column in columns]",
        "linear_feature_columns": f"[*columns, {', '.join(crosses)}]" if crosses else "columns",
        "dnn_hidden_units": _UNITS,
        "label": written(suggestion.label.feature),
        "head": suggestion.label.head,
        "dnn_dropout": f"{_DROPOUT}",
        "learning_rate": f"{_RATE}",
        "learning_rate_decay": written("cosine"),
        "num_epochs": f"{epochs}",
        "train_batch_size": f"{batch}",
    }
    filled = textwrap.fill(columns, WIDTH, initial_indent="    ", subsequent_indent="    ")
    yield f"columns = [{columns}]" if len(columns) < WIDTH else f"columns = [\n{filled},\n]"
    arguments = "".join(wrapped(f"    {name}={value},", WIDTH) + "\n" for name, value in given.items() if value)
    label = suggestion.label
    yield f"{_comment(f'{label.column.name}, the label: {label.reason}')}\nPROBLEM = Problem(\n{arguments})"


def _pace(rows: int) -> tuple[int, int]:
    """Returns epochs and rows a step: about as many steps whatever the number of rows."""
    for least, epochs, batch in ((2_000_000, 2, 4096), (200_000, 5, 1024), (20_000, 10, 512)):
        if rows >= least:
            return epochs, batch
    return 20, 256


def _csv(csv: CsvFormat) -> str:
    given = {"delimiter": csv.delimiter, "column_names": csv.column_names and list(csv.column_names)}
    parts = [f"{name}={written(value)}" for name, value in given.items() if value]
    parts += ["skip_initial_space=True"] if csv.skip_initial_space else []
    return f"CsvFormat({', '.join(parts)})"


def _comment(text: str, start: str = "# ") -> str:
    return textwrap.fill(shown(text), WIDTH, initial_indent=start, subsequent_indent=f"#{' ' * (len(start) + 1)}")
