"""The trials, one after the other, to the last one and what is found."""

from trainer import paths
from trainer.errors import Terminated, TrainingFailure
from trainer.tuning import findings, folder, hparams, proposals, running
from trainer.tuning.asked import PROG, Asked
from trainer.tuning.progress import Progress
from trainer.tuning.proposals import Proposals
from trainer.tuning.trials import Trial, Trials


def carry_out(asked: Asked, trials: Trials) -> None:
    """Trains all that has not been trained yet, leaves what was found, and prints it.

    Raises:
        Refusal: KerasTuner is not installed, or the first trial cannot be trained.
        TrainingFailure: No trial could be trained to its end, or the data have changed.
    """
    if asked.search:
        proposals.check_search()
    proposed: Proposals = proposals.Search(asked) if asked.search else proposals.Dimensions(asked)
    if asked.tuning.overwrite:
        folder.emptied(trials.folder)
    paths.make_folder(trials.folder)
    print(trials.folder, flush=True)
    try:
        done = _done(asked, trials, proposed)
        if all(trial.mean is None for trial in done):
            raise TrainingFailure(f"{PROG}: no trial could be trained to its end; {trials.folder} tells why.")
        findings.leave(asked, trials, done)
    except (KeyboardInterrupt, Terminated):
        print(f"\nInterrupted; the same command goes on.\n{trials.folder}", flush=True)
        raise
    print(trials.folder, flush=True)


def _done(asked: Asked, trials: Trials, proposed: Proposals) -> list[Trial]:
    done: list[Trial] = []
    progress = Progress(asked, proposed.most * len(asked.seeds))
    hparams.write_experiment(asked, trials.folder)
    while (values := proposed.next(done)) is not None:
        # What a search has begun counts by its place: another version of an oracle may propose another.
        place = len(done)
        trial = trials.all[place] if asked.search and place < len(trials.all) else trials.begun(values)
        for seed in asked.seeds:
            kept = trial.of_seed(seed)
            if kept is None:
                found = running.ran(asked, trials, trial, seed)
                hparams.write_session(asked, trials.folder, trial, found)
                trial = trials.add(trial.number, found)
            progress.tell(trial, seed, is_new=kept is None)
        done.append(trial)
    return done
