"""
Directives that make reference pages from the docstrings of this repository. The sections always have the same order.

``.. lxdapi-kind:: profile``
    The description of the kind, each state with its SLS and its parameters, the module calls, the requirements.
``.. lxdapi-states::``
    For each state module that belongs to no kind: its docstring and its states.
``.. lxdapi-modules::``
    For each execution module: its docstring and its functions.
``.. lxdapi-runners::``
    For each runner: its docstring and its functions.
``.. lxdapi-overview::``
    A table of all states, with links to them.
``.. lxdapi-extensions::``
    A table of the API extensions that kinds and fields need.

The extension parses the files and does not import them: a state module and an execution module can have the same name,
which only Salt's loader can keep apart.
"""

import ast
from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from lxdapi.model.kinds import KINDS
from lxdapi.reports.export_sls import ORDER
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective
from sphinx.util.parsing import nested_parse_to_nodes

REPO = Path(__file__).resolve().parents[2]
FIRST = ("present", "absent")
HOOKS = ("mod_init", "mod_watch")
CALLS = ("list", "get", "create", "update", "rename", "delete", "export")
EVERYWHERE = "Every LXD since 4.0 and every Incus since 6.0 supports it."
MISSING = (
    "If the daemon lacks it, ``present`` fails before it sends anything and names the extension; ``absent`` succeeds."
)


def constant(tree, name):
    """Return the value of a module's constant, or None if the module does not define it."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name:
            return ast.literal_eval(node.value)
    return None


def parse_file(path):
    """Return the syntax tree of a Python file."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def list_fronts(folder):
    """Return ``{front: paths}`` of a folder; one front can be several files."""
    result = {}
    for path in sorted(REPO.glob(f"{folder}/lxdapi*.py")):
        result.setdefault(constant(parse_file(path), "__virtualname__") or path.stem, []).append(path)
    return result


def public_functions(tree):
    """Return ``{name in Salt: syntax node}`` of the public functions of a file."""
    aliases = constant(tree, "__func_alias__") or {}
    own = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name[0] != "_"]
    return {aliases.get(node.name, node.name): node for node in own}


class Source:
    """The docstrings of a front: of its states (``_states``) or of its functions (``_modules``, ``_runners``)."""

    def __init__(self, folder, stem):
        self.folder, self.stem = folder, stem
        self.paths = list_fronts(folder)[stem]
        self._trees = [parse_file(path) for path in self.paths]

    @property
    def docstring(self):
        """The docstring of the front itself."""
        return ast.get_docstring(self._trees[0]) or ""

    def functions(self):
        """Return ``{name in Salt: syntax node}`` of the public functions, in the order of the files."""
        return {name: node for tree in self._trees for name, node in public_functions(tree).items()}

    def overview_rows(self):
        """Yield (the name, links to the functions, the first sentence of the docstring) of each file."""
        for tree in self._trees:
            names = [name for name in public_functions(tree) if name not in HOOKS]
            links = ", ".join(f":py:func:`{name} <{self.stem}.{name}>`" for name in names)
            first = (ast.get_docstring(tree) or "").partition("\n\n")[0]
            yield f"``{self.stem}``", links, " ".join(first.split())

    def function_directive(self, name):
        """Return a ``py:function`` directive with the signature and the docstring of a function."""
        function = self.functions()[name]
        text = (ast.get_docstring(function) or "").replace("\n", "\n   ")
        # A state and a function can have the same name. Then the index lists the function only.
        no_index = "" if self.folder == "_modules" or name not in self._module_functions() else "   :no-index:\n"
        return f".. py:function:: {self.stem}.{name}({ast.unparse(function.args)})\n{no_index}\n   {text}\n"

    def _module_functions(self):
        """Return the functions of the execution module that has the same name."""
        return Source("_modules", self.stem).functions() if self.stem in list_fronts("_modules") else {}


def format_section(title, text):
    """Return a section with its heading."""
    return f"{title}\n{'-' * len(title)}\n\n{text}\n"


def list_calls(kind_name, kind):
    """Yield the calls of the module ``lxdapi`` for a kind, each with the required arguments."""
    functions = Source("_modules", "lxdapi").functions()
    unsupported = {"create": bool(kind.create.hint), "rename": not kind.rename, "delete": "{name}" not in kind.path}
    unsupported["export"] = kind_name not in ORDER
    for call in CALLS:
        names = required_parameters(functions[call]) if call in functions else []
        if names[:1] == ["kind"] and not unsupported.get(call):
            # A kind with a single object has no names, but update requires one.
            name = format_name(kind) or (kind_name if call == "update" else "")
            values = [kind_name, *(name if each == "name" else each.upper() for each in names[1:])]
            yield " ".join(["salt-call", f"lxdapi.{call}", *filter(None, values)])


def required_parameters(function):
    """Return the parameters without a default, and in any case ``name`` and ``settings``."""
    names = [each.arg for each in function.args.args]
    count = len(names) - len(function.args.defaults)
    settings = [name for name in names[count:] if name == "settings"]
    return names[: max(count, 2 if names[1:2] == ["name"] else 0)] + settings


def format_name(kind):
    """Return the placeholder of an object's name, after those of its parents; "" if the kind has a single object."""
    last = kind.rule if kind.rule in ("fingerprint", "address") else kind.key
    return "/".join([*kind.parents, last]).upper() if "{name}" in kind.path else ""


def module_calls_section(kind_name, kind):
    """Return the section of the module calls, with links to the functions of the kind's own module."""
    text = ".. code-block:: bash\n\n" + "\n".join(f"   {line}" for line in list_calls(kind_name, kind))
    if (REPO / "_modules" / f"lxdapi_{kind_name}.py").exists():
        own = Source("_modules", f"lxdapi_{kind_name}")
        text += "\n\nAlso: " + ", ".join(f":py:func:`{own.stem}.{name}`" for name in own.functions()) + "."
    return format_section("Module calls", text)


def needs_section(kind):
    """Return the section of the API extensions that the kind and its fields need."""
    text = f"The API extension ``{kind.extension}``. {MISSING}" if kind.extension else EVERYWHERE
    if kind.cluster.only:
        text += " Only a clustered server has objects of this kind."
    if kind.extensions:
        lines = (f"- ``{part}``: the API extension ``{needed}``" for part, needed in sorted(kind.extensions.items()))
        text += "\n\nSome fields and keys need more:\n\n" + "\n".join(lines)
    return format_section("Needs", text)


class DocstringDirective(SphinxDirective):
    """A directive whose content is reStructuredText made from docstrings."""

    def parse_text(self, text, *sources):
        """Return the nodes of the text, headings included. Sphinx rebuilds the page when a source file changes."""
        paths = [path for source in sources for path in source.paths]
        for path in (
            *paths,
            Path(__file__),
            REPO / "_utils" / "lxdapi" / "model" / "kinds.py",
            REPO / "_modules" / "lxdapi.py",
        ):
            self.env.note_dependency(str(path))
        origin = str(paths[0] if paths else __file__)
        return nested_parse_to_nodes(self.state, StringList(text.splitlines(), source=origin), source=origin)


class KindDirective(DocstringDirective):
    """The reference page of a kind."""

    required_arguments = 1

    def run(self):
        """Return the nodes of the page."""
        kind_name = self.arguments[0]
        if kind_name not in KINDS:
            raise self.error(f"unknown kind {kind_name!r}")
        source, kind = Source("_states", f"lxdapi_{kind_name}"), KINDS[kind_name]
        about = source.docstring.partition(":depends:")[0]
        names = sorted(source.functions(), key=lambda name: FIRST.index(name) if name in FIRST else len(FIRST))
        states = [format_section(f"{source.stem}.{name}", source.function_directive(name)) for name in names]
        sections = [*states, module_calls_section(kind_name, kind), needs_section(kind)]
        page = self.parse_text("\n".join([about, *sections]), source)
        for node in page:
            for description in node.findall(addnodes.desc):
                self._add_headings(description)
        return page

    def _add_headings(self, description):
        """Put a heading before the SLS and before the parameters, which must come in this order."""
        content = description[-1]
        headings = (("SLS", nodes.literal_block), ("Parameters", nodes.definition_list))
        places = [content.first_child_matching_class(cls) for _, cls in headings]
        if None in places or places != sorted(places) or places[0] == 0:
            raise self.error(f"expected a first line, an SLS and parameters: {description[0].astext()}")
        for place, (title, _) in reversed(list(zip(places, headings))):
            content.insert(place, nodes.rubric("", title))


class SectionsDirective(DocstringDirective):
    """A section for each of several fronts."""

    def run(self):
        """Return the nodes of the sections."""
        sources = [Source(folder, stem) for folder, stem in self.list_files()]
        return self.parse_text("\n".join(map(self._section, sources)), *sources) if sources else []

    def _section(self, source):
        functions = [source.function_directive(name) for name in source.functions()]
        return format_section(source.stem, "\n".join([source.docstring, "", *functions]))


class ModulesDirective(SectionsDirective):
    """The functions of all execution modules."""

    def list_files(self):
        """Return every execution module."""
        return [("_modules", name) for name in sorted(list_fronts("_modules"))]


class RunnersDirective(SectionsDirective):
    """The functions of the runners."""

    def list_files(self):
        """Return every runner."""
        return [("_runners", name) for name in sorted(list_fronts("_runners"))]


class StatesDirective(SectionsDirective):
    """The states that belong to no kind."""

    def list_files(self):
        """Return the state modules that no page of a kind documents."""
        return [("_states", name) for name in sorted(list_fronts("_states")) if name.partition("_")[2] not in KINDS]


def format_table(head, rows):
    """Return a table of rows of text."""
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for first, *others in (head, *rows):
        lines += [f"   * - {first}", *(f"     - {text}" for text in others)]
    return "\n".join(lines)


def extension_rows(kind_name, kind):
    """Yield (the kind, the part of it, API extension)."""
    page = f":doc:`{kind_name} </reference/kinds/{kind_name}>`"
    if kind.extension:
        yield page, "the kind", f"``{kind.extension}``"
    for part, extension in sorted(kind.extensions.items()):
        yield page, f"``{part}``", f"``{extension}``"
    for part, extension in sorted(kind.needs_extension_to_apply.items()):
        yield page, f"``{part}``, a change of it after the creation", f"``{extension}``"


class OverviewDirective(DocstringDirective):
    """A table of all states."""

    def run(self):
        """Return the nodes of the table: a row for each file, in the order of their names."""
        sources = [Source("_states", stem) for stem in list_fronts("_states")]
        rows = [row for source in sources for row in source.overview_rows()]
        return self.parse_text(format_table(("states", "functions", "about"), rows), *sources)


class ExtensionsDirective(DocstringDirective):
    """A table of the API extensions that kinds and fields need."""

    def run(self):
        """Return the nodes of the table, in the order of the kinds."""
        rows = [row for kind_name, kind in KINDS.items() for row in extension_rows(kind_name, kind)]
        return self.parse_text(format_table(("kind", "needed for", "API extension"), rows))


def setup(app):
    """Register the directives."""
    app.add_directive("lxdapi-overview", OverviewDirective)
    app.add_directive("lxdapi-extensions", ExtensionsDirective)
    app.add_directive("lxdapi-kind", KindDirective)
    app.add_directive("lxdapi-modules", ModulesDirective)
    app.add_directive("lxdapi-runners", RunnersDirective)
    app.add_directive("lxdapi-states", StatesDirective)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
