"""
How Sphinx builds the documentation: ``python -m sphinx -W -b html docs build/docs``.

The build needs no network. With ``LXDAPI_DOCS_LINKS=1`` in the environment it fetches the inventories of Python and
Salt, and links to their documentation.
"""

import os
import re
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
for folder in (REPO / "docs" / "_ext", REPO / "_utils"):
    sys.path.insert(0, str(folder))

from lxdapi.version import VERSION  # noqa: E402

project = "lxdapi"
author = "lxdapi contributors"
project_copyright = "lxdapi contributors, Apache License 2.0"
version = release = VERSION
extensions = ["lxdapi_pages"]
if os.environ.get("LXDAPI_DOCS_LINKS"):
    extensions.append("sphinx.ext.intersphinx")
    intersphinx_mapping = {
        "python": ("https://docs.python.org/3", None),
        "salt": ("https://docs.saltproject.io/en/latest", None),
    }
html_theme = "furo"
html_title = f"lxdapi {VERSION}"
# The pages use plain quotes and dashes, as the code that they show.
smartquotes = False
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["narrow.css"]
# Each function has a heading of its own, which the table of contents lists.
toc_object_entries = False
# A name that nothing defines is an error, as any warning is with -W.
nitpicky = True


def link_to_file(found):
    """Return the role that links to a file of the repository which a page names by its path."""
    target = found[1]
    return f":download:`{target} </../{target}>`" if (REPO / target).is_file() else found[0]


def link_files(app, page_name, content):
    """Make links of the paths of files, which the pages write as they are in the repository."""
    content[0] = re.sub(r"``([\w-][\w./-]*/[\w./-]+)``", link_to_file, content[0])


def setup(app):
    """Sphinx asks for the text of each page by this event."""
    app.connect("source-read", link_files)
