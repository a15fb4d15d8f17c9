"""The page: what is in it, and how it is written."""

import datetime
import functools
import importlib.resources
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trainer import paths
from trainer.pictures import Picture
from trainer.report import declared, figures, files, images, measures, repeating, tables
from trainer.report.wording import words, writable
from trainer.run import Run
from trainer.tables import Table

if TYPE_CHECKING:
    from jinja2 import Template

FILE = "report.html"
_TEMPLATE = "report.html.j2"


def write(run: Run, tables: Sequence[Table], pictures: Sequence[Picture] = ()) -> str:
    """Writes the report of a run, `report.html`: one file, which asks nothing of a network and runs no script.

    It tells what the run's files hold; what is not there is left out.

    Args:
        run: The run, with its files written.
        tables: Its tables as they were trained.
        pictures: What `trainer.pictures.write` has drawn of it.

    Returns:
        The path of the report.
    """
    path = run.file(FILE)
    paths.write_text(path, page(run, tables, pictures))
    return path


def page(run: Run, tables: Sequence[Table], pictures: Sequence[Picture] = ()) -> str:
    """Returns the report of a run as HTML."""
    return _template().render(_contents(run, tables, pictures))


def _contents(run: Run, trained: Sequence[Table], pictures: Sequence[Picture]) -> Mapping[str, Any]:
    found = files.read(run)
    drawn = images.grouped(run, pictures, [table.name for table in trained])
    settings = repeating.settings(found)
    return {
        "title": found.name or "A run",
        "description": found.description,
        "data": found.data,
        "digest": found.digest,
        "is_planted": found.is_planted,
        "written": datetime.datetime.now(datetime.UTC),
        "path": run.path,
        "metrics": figures.metrics(found),
        "sizes": figures.sizes(found, trained),
        "curves": drawn.curves,
        "history": figures.history(found),
        "history_lines": len(found.history),
        "measures": measures.measures(found),
        "baselines": figures.baselines(found),
        "tables": tables.parts(found, trained, drawn.of_tables),
        "others": drawn.others,
        "linked": drawn.linked,
        "settings_set": [setting for setting in settings if setting.by != "default"],
        "settings_rest": [setting for setting in settings if setting.by == "default"],
        "command": repeating.command(found),
        "as_given": repeating.as_given(found),
        "versions": found.versions,
        "declared": declared.declarations(found),
        "words": words,
    }


@functools.cache
def _template() -> "Template":
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, finalize=_shown, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    text = importlib.resources.files(__package__).joinpath(_TEMPLATE).read_text(encoding="utf-8")
    return environment.from_string(text)


def _shown(value: Any) -> Any:
    """Returns what stands in the page for a value; what is HTML already, as what a macro makes, stays."""
    return value if hasattr(value, "__html__") else writable(str(value))
