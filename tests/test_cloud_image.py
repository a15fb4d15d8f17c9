import shlex

import pytest

from trainer.cloud import image, package
from trainer.commands import submit


def test_a_dockerfile_installs_what_the_package_requires_and_needs_no_other_file(
    tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    requirements = package.build(tmp_path_factory.mktemp("dist")).requirements
    assert submit.main(["--print-dockerfile", "--", "--problem", "flights"]) == 0
    comment, base, run = capsys.readouterr().out.split("\n", 2)
    assert comment == "# docker build --tag REGION-docker.pkg.dev/PROJECT/REPOSITORY/embedding-columns - < Dockerfile"
    assert base == f"FROM {image.BASE}"
    # A line's end after a backslash is none, for Docker as for a shell.
    words = shlex.split(run.replace("\\\n", ""))
    assert words == ["RUN", "python", "-m", "pip", "install", "--no-cache-dir", *requirements]


def test_a_dockerfile_for_accelerators_has_nvidia_s_libraries(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--print-dockerfile", "--backend=vertex", "--accelerator-type=NVIDIA_L4", "--requirement", "pandas>=2"]
    assert submit.main(words) == 0
    assert capsys.readouterr().out.endswith(" \\\n    'tensorflow[and-cuda]' \\\n    'pandas>=2'\n")
