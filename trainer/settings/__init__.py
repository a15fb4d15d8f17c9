"""What `python -m trainer.task` can be told."""

from trainer.settings.command_line import DESCRIPTION, PROG, from_argv
from trainer.settings.job import ARGUMENTS, NEVER, RUN_ONLY, Settings
from trainer.settings.stored import from_dict, to_dict

__all__ = ["ARGUMENTS", "DESCRIPTION", "NEVER", "PROG", "RUN_ONLY", "Settings", "from_argv", "from_dict", "to_dict"]
