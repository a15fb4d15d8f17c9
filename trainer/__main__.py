"""`python -m trainer VERB …`, which is also the console script `embedding-columns`: lists the verbs and runs one."""

import sys
from collections.abc import Sequence

from trainer import commands, settings
from trainer.errors import Refusal, leave, nearest
from trainer.terminal import exit_code


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a verb, or lists them all, and returns the exit code.

    Args:
        argv: The verb and its flags; None takes those of this process.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    verbs = {"task": settings.DESCRIPTION, **commands.helps()}
    return exit_code(lambda: _run(words, verbs))


def _listing(verbs: dict[str, str]) -> str:
    width = max(map(len, verbs))
    lines = "\n".join(f"  {verb:{width}}  {text}" for verb, text in verbs.items())
    return f"usage: {commands.PROG} VERB …\n\n{lines}\n\n{commands.PROG} VERB --help tells what a verb can be told."


def _run(words: Sequence[str], verbs: dict[str, str]) -> int:
    if not words or words[0] in ("-h", "--help"):
        print(_listing(verbs))
        return 0
    verb, argv = words[0].replace("_", "-"), words[1:]
    if verb not in verbs:
        ending = nearest(verb, verbs) or f"; there are {', '.join(verbs)}."
        raise Refusal(f"{commands.PROG}: there is no verb '{verb}'{ending}")
    if verb == "task":
        from trainer import task  # the verbs do without the training job's imports

        return task.main(argv)
    return commands.command(verb)(argv)


if __name__ == "__main__":
    leave(main())
