"""
Another extension of Salt, installed by pip.
"""

SETUP = """
[metadata]
name = saltext.foreign
version = 1.0
[options]
packages = {packages}
[options.entry_points]
salt.loader =
    saltext.foreign = saltext.foreign
"""
PACKAGES = ("saltext.foreign", "saltext.foreign.modules")


def sources(folder, own_namespace):
    """
    Return a folder with the sources of the extension.

    own_namespace
        Whether it contains ``saltext/__init__.py``, as some extensions do although the namespace is shared.
    """
    modules = folder / "saltext" / "foreign" / "modules"
    modules.mkdir(parents=True)
    for package in (modules, modules.parent, *([folder / "saltext"] if own_namespace else [])):
        (package / "__init__.py").touch()
    (modules / "foreign.py").write_text("def answer():\n    return 42\n")
    packages = PACKAGES + (("saltext",) if own_namespace else ())
    (folder / "setup.cfg").write_text(SETUP.format(packages=", ".join(packages)))
    (folder / "pyproject.toml").write_text('[build-system]\nrequires = ["setuptools"]\n')
    return folder
