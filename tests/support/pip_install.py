"""
The package installed by pip, without a network.
"""

from pathlib import Path

from tests.support.salt_commands import run

SECONDS = 120


def environment(folder, venv, *packages):
    """
    Return the interpreter of a new virtual environment with the packages of another one and additional packages, each a
    wheel or a source folder.
    """
    run([Path(venv) / "bin" / "python", "-m", "venv", "--without-pip", folder], SECONDS).succeeded()
    (own,) = folder.glob("lib/python*/site-packages")
    (borrowed,) = Path(venv).glob("lib/python*/site-packages")
    (own / "borrowed.pth").write_text(f"{borrowed}\n")
    python = folder / "bin" / "python"
    install(python, *packages)
    return python


def install(python, *packages):
    """Install packages, or other versions of them, in the environment of an interpreter."""
    options = ["--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    command = [python, "-m", "pip", "install", *options, *packages]
    run(command, SECONDS, PIP_ROOT_USER_ACTION="ignore").succeeded()
