"""Which settings of a job cannot be used together."""

from trainer import flags
from trainer.errors import Refusal
from trainer.settings.job import Settings


def check(made: Settings) -> None:
    """Refuses settings that say two things of one, or that lack what they are of.

    Raises:
        Refusal: They cannot be used together.
    """
    if made.resume and made.overwrite:
        raise Refusal("--resume and --overwrite: give one of them; the first keeps the run, the second replaces it.")
    if made.allow_changed and not made.resume:
        raise Refusal("--allow-changed: it is of a run that is gone on with; give --resume too.")
    if made.dataset is not None and made.train_files is not None:
        raise Refusal("--dataset and --train-files: give one of them; each says what to train on.")
    for name in ("validation_files", "eval_files"):
        if getattr(made, name) is not None and made.train_files is None:
            raise Refusal(f"{flags.flag_name(name)}: --train-files is wanted beside it, and it is not given.")
    if made.eval_share is not None and (made.eval_files is not None or made.train_files is None):
        raise Refusal("--eval-share: it is of the rows of --train-files, without --eval-files; leave it out.")
    if made.validation_share is not None and made.validation_files is not None:
        raise Refusal("--validation-share and --validation-files: give one of them; each says what to judge by.")
    for name in ("validation_share", "eval_share"):
        share = getattr(made, name)
        if share is not None and not 0 < share < 1:
            raise Refusal(f"{flags.flag_name(name)}: a share above 0 and below 1 is wanted, not {share:g}.")
    if (made.validation_share or 0) + (made.eval_share or 0) >= 1:
        raise Refusal("--validation-share and --eval-share: together they leave no row to train on; give smaller ones.")
    _ = made.dimensions, made.widths, made.warm_starts, made.bad_rows, made.cache_bytes
    of_tables = {"--old-vocabulary": made.old_vocabularies, "--on-missing-rows": made.missing_rows}
    for flag_of_tables, tables in of_tables.items():
        for table in tables:
            if table not in made.warm_starts:
                raise Refusal(f"{flag_of_tables}: table '{table}' has no source; give --warm-start {table}=SOURCE too.")
