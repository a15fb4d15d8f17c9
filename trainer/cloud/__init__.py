"""Where `submit` sends a training job: one backend a file, with its `Settings` and `submit(settings, argv)`."""

import importlib
import pkgutil
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from trainer.cloud.replicas import Replicas
from trainer.flags import flag


@dataclass(frozen=True)
class Submission:
    """What every backend can be told; a backend's own `Settings` is a subclass with its own flags.

    Args:
        backend: The name of a module in this folder.
        dry_run: Whether the job is only printed.
        workers: How many replicas take steps; without parameter servers the chief is one of them.
        parameter_servers: How many replicas hold the tables.
        base_output_dir: The folder in which AIP_MODEL_DIR, AIP_CHECKPOINT_DIR and AIP_TENSORBOARD_LOG_DIR lie.
        tune: Whether the job is one of trials of what the problem searches.
        metric: What trials are judged by, as `--early-stopping` has it; None is the first metric of the problem's head.
        requirement: What the job's own code imports besides, as pip takes it.
        print_dockerfile: Whether a Dockerfile is printed and no job is made.
    """

    backend: str = flag("local", "where the job runs: local is the rehearsal on this machine, or vertex", "NAME")
    dry_run: bool = flag(False, "print what would be sent and send nothing")
    workers: int = flag(
        1, "replicas that take steps; the chief is one of them, but beside parameter servers", "N", least=1
    )
    parameter_servers: int = flag(0, "replicas that hold the tables, beside a chief and the workers", "N", least=0)
    base_output_dir: str | None = flag(
        None,
        "set AIP_MODEL_DIR, AIP_CHECKPOINT_DIR and AIP_TENSORBOARD_LOG_DIR to folders in this one; a run without "
        "--job-dir is left there (local: none; vertex: the staging bucket and the job's name)",
        "DIR",
    )
    requirement: tuple[str, ...] = flag(
        (), "what a problem of one's own imports besides, as pip takes it: 'pandas>=2'; repeatable", "PACKAGE"
    )
    print_dockerfile: bool = flag(
        False, "print a Dockerfile of an image with the package's requirements, and send nothing"
    )
    tune: bool = flag(False, "try what the problem's search says (local: one trial, in the middle of all)")
    metric: str | None = flag(
        None,
        "with --tune, what trials are judged by: a validation metric, as loss or auc; METRIC:max or :min (default: the "
        "first of the problem)",
        "METRIC",
    )

    @property
    def replicas(self) -> Replicas:
        """The processes of the job."""
        return Replicas(self.workers, self.parameter_servers)


def backends() -> dict[str, ModuleType]:
    """Returns the backends by name: the modules of this folder that can submit."""
    names = sorted(module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]))
    modules = {name: importlib.import_module(f"{__name__}.{name}") for name in names}
    return {name: module for name, module in modules.items() if hasattr(module, "submit")}
