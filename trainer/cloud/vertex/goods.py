"""What is staged for a job: the package, the files that go along, and the list of these."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from trainer.cloud import luggage
from trainer.cloud.luggage import Luggage
from trainer.cloud.package import Package


@dataclass(frozen=True)
class Goods:
    """Files and where they lie in the folder of what is staged; names hold digests, so what is there is right.

    Args:
        package: Where the package lies, as in "packages/ab12/embedding_columns-0.1.0.tar.gz".
        files: The files here by where they lie there, the package's among them.
        listing: The text that names the files that go along; None where there are none.
    """

    package: str
    files: Mapping[str, str] = field(hash=False)
    listing: str | None = None

    @property
    def listing_place(self) -> str | None:
        """Where the list lies, beside the folder of the files."""
        if self.listing is None:
            return None
        return f"luggage-{hashlib.sha256(self.listing.encode()).hexdigest()[:16]}.json"


def of(built: Package, packed: Luggage) -> Goods:
    """Returns what a job needs to find in its bucket."""
    place = f"packages/{built.digest}/{built.path.name}"
    files = {place: str(built.path), **{item.staged: item.path for item in packed.items}}
    named = {item.place: item.staged for item in packed.items}
    return Goods(place, files, luggage.listing(named) if named else None)
