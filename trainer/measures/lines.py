"""The lines of a file of questions that a measure asks."""

import gzip
import zlib

from trainer import paths
from trainer.errors import Refusal

_GZIP = b"\x1f\x8b"


def lines_of(file: str, who: str, encoding: str = "utf8") -> list[str]:
    """Returns the lines of a text file, packed by gzip or not, without their ends.

    Args:
        file: Its path, local or remote.
        who: What a refusal begins with.
        encoding: Of the text.

    Raises:
        Refusal: It is not there, cannot be read or is no such text.
    """
    try:
        content = paths.read_bytes(file)
        return (gzip.decompress(content) if content.startswith(_GZIP) else content).decode(encoding).splitlines()
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise Refusal(f"{who}: {file} cannot be read ({reason}); give another path.") from None
    except UnicodeDecodeError as error:
        raise Refusal(f"{who}: {file} is no text in {encoding} (byte {error.start:,}); give one that is.") from None
    except LookupError:
        raise Refusal(f"{who}: there is no encoding '{encoding}'; give one that Python knows, as utf8.") from None
