"""Fails when a test was skipped that the list of allowed skips does not name with a reason."""

import sys
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree


def skipped(report: Path) -> dict[str, str]:
    """Returns the reason of each skipped test of a JUnit report, by the test's id."""
    found = {}
    for case in ElementTree.parse(report).iter("testcase"):
        for skip in case.iter("skipped"):
            # An expected failure is reported as a skip of its own type.
            if skip.get("type") == "pytest.skip":
                found["::".join(filter(None, [case.get("file"), case.get("name")]))] = skip.get("message", "")
    return found


def main(argv: Sequence[str]) -> int:
    """Prints the skipped tests that the list does not name and returns 1 if there are any.

    Args:
        argv: The list and the JUnit report.
    """
    lines = Path(argv[0]).read_text(encoding="utf-8").splitlines()
    # A test's id may have spaces in it, so a line is matched from its start; what follows is the reason.
    left = {
        test: reason
        for test, reason in skipped(Path(argv[1])).items()
        if not any(line.startswith(f"{test} ") and line[len(test) :].strip() for line in lines)
    }
    for test, reason in left.items():
        print(f"{argv[0]} does not allow to skip {test} ({reason})", file=sys.stderr)
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
