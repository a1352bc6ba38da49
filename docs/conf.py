"""
How Sphinx builds the documentation: ``python -m sphinx -W -b html docs build/docs``.
"""

import re
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
for folder in (REPO / "docs" / "_ext", REPO / "_utils"):
    sys.path.insert(0, str(folder))

from lxdapi.version import VERSION  # noqa: E402

project = "lxdapi"
author = "the authors of lxdapi"
project_copyright = "Apache License 2.0"
version = release = VERSION
extensions = ["lxdapi_pages", "sphinx.ext.autosectionlabel"]
autosectionlabel_prefix_document = True
html_theme = "alabaster"
html_copy_source = False
# A name that nothing defines is an error, as any warning is with -W.
nitpicky = True


def of_the_readme(target):
    """Return the role that reaches from docs/ what the README links to by its path."""
    page = re.fullmatch(r"docs/([\w/]+)\.rst", target)
    return f":doc:`{page[1]} <{page[1]}>`" if page else f":download:`{target} <../{target}>`"


def as_a_page(app, relative_path, parent_docname, content):
    """The included README shows and links the same files, seen from docs/."""
    text = re.sub(r"`[^`<]+ <(?!\w+:)([^>`]+)>`_", lambda link: of_the_readme(link[1]), content[0])
    content[0] = text.replace(".. image:: docs/", ".. image:: ")


def setup(app):
    """Sphinx asks for the README's text by this event."""
    app.connect("include-read", as_a_page)
