"""
Pages drawn from the docstrings of this repository, always in the same order.

``.. lxdapi-kind:: profile``
    What the kind is; each state with its SLS and its parameters; the module calls; what it needs.
``.. lxdapi-states::``
    Each file of states that is about no kind: what it is, and its states.
``.. lxdapi-modules::``
    Each execution module: what it is, and its functions.

The files are read, not imported: ``lxdapi_instance`` is the name of three of them, of which Salt's loader keeps
the states, the module and the library apart, and Python does not.
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
CALLS = ("list", "get", "create", "update", "rename", "delete", "export")
EVERYWHERE = "Every LXD since 4.0 and every Incus since 6.0 has it."
MISSING = "A daemon without it is told from its list of extensions, before anything is sent; ``absent`` is true there."


def constant(tree, name):
    """The value of a constant of a file, None if it has none of this name."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name:
            return ast.literal_eval(node.value)
    return None


def parsed(path):
    """The tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def fronts(folder):
    """The files of each front of a folder, by its name, that of the front itself first."""
    found = {}
    for path in sorted(REPO.glob(f"{folder}/lxdapi*.py")):
        found.setdefault(constant(parsed(path), "__virtualname__") or path.stem, []).append(path)
    return found


class Source:
    """The files of a front, of states or of functions, as far as its documentation goes."""

    def __init__(self, folder, stem):
        self.folder, self.stem = folder, stem
        self.paths = fronts(folder)[stem]
        self._trees = [parsed(path) for path in self.paths]

    @property
    def about(self):
        """What the front says of itself."""
        return ast.get_docstring(self._trees[0]) or ""

    def functions(self):
        """The public functions by the names that Salt gives them, in the order of the files."""
        found = {}
        for tree in self._trees:
            aliases = constant(tree, "__func_alias__") or {}
            own = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name[0] != "_"]
            found.update({aliases.get(node.name, node.name): node for node in own})
        return found

    def described(self, word):
        """A function as the domain of Python describes it: signature and docstring."""
        function = self.functions()[word]
        text = (ast.get_docstring(function) or "").replace("\n", "\n   ")
        # a state and a function can have one name: the index has the function
        twice = "" if self.folder == "_modules" or word not in self._twins() else "   :no-index:\n"
        return f".. py:function:: {self.stem}.{word}({ast.unparse(function.args)})\n{twice}\n   {text}\n"

    def _twins(self):
        """The functions of the execution module of that name."""
        return Source("_modules", self.stem).functions() if self.stem in fronts("_modules") else {}


def headed(title, text):
    """A section of a page."""
    return f"{title}\n{'-' * len(title)}\n\n{text}\n"


def calls(kind_name, kind):
    """The calls of the module ``lxdapi`` that take this kind, with what they cannot do without."""
    offered = Source("_modules", "lxdapi").functions()
    without = {"create": bool(kind.create.hint), "rename": not kind.rename, "delete": "{name}" not in kind.path}
    without["export"] = kind_name not in ORDER
    for call in CALLS:
        names = required(offered[call]) if call in offered else []
        if names[:1] == ["kind"] and not without.get(call):
            # the only one has no name of its own, but update takes one
            own = name_of(kind) or (kind_name if call == "update" else "")
            values = [kind_name, *(own if name == "name" else name.upper() for name in names[1:])]
            yield " ".join(["salt-call", f"lxdapi.{call}", *filter(None, values)])


def required(function):
    """The names of the parameters that have no default, and name and settings in any case."""
    names = [each.arg for each in function.args.args]
    least = len(names) - len(function.args.defaults)
    named = [name for name in names[least:] if name == "settings"]
    return names[: max(least, 2 if names[1:2] == ["name"] else 0)] + named


def name_of(kind):
    """What stands for the name on the command line: the parents come first. Nothing where there is only one."""
    last = kind.rule if kind.rule in ("fingerprint", "address") else kind.key
    return "/".join([*kind.parents, last]).upper() if "{name}" in kind.path else ""


def module_calls(kind_name, kind):
    """The section of the module calls, with a link to the kind's own module where there is one."""
    text = ".. code-block:: bash\n\n" + "\n".join(f"   {line}" for line in calls(kind_name, kind))
    if (REPO / "_modules" / f"lxdapi_{kind_name}.py").exists():
        verbs = Source("_modules", f"lxdapi_{kind_name}")
        text += "\n\nAnd " + ", ".join(f":py:func:`{verbs.stem}.{verb}`" for verb in verbs.functions()) + "."
    return headed("Module calls", text)


def needs(kind):
    """The section of what the kind and its fields need of the daemon."""
    text = f"The API extension ``{kind.extension}``. {MISSING}" if kind.extension else EVERYWHERE
    if kind.cluster.only:
        text += " Only a server in a cluster has any."
    if kind.extensions:
        lines = (f"- ``{part}``: the API extension ``{needed}``" for part, needed in sorted(kind.extensions.items()))
        text += "\n\nOf what can be declared:\n\n" + "\n".join(lines)
    return headed("Needs", text)


class FromDocstrings(SphinxDirective):
    """A directive whose content is text made from the docstrings of files."""

    def parsed(self, text, *sources):
        """The text as nodes, headings included; the page is made anew when a file changes."""
        paths = [path for source in sources for path in source.paths]
        for path in (
            *paths,
            Path(__file__),
            REPO / "_utils" / "lxdapi" / "model" / "kinds.py",
            REPO / "_modules" / "lxdapi.py",
        ):
            self.env.note_dependency(str(path))
        lines = StringList(text.splitlines(), source=str(paths[0]))
        return nested_parse_to_nodes(self.state, lines, source=str(paths[0]))


class KindDirective(FromDocstrings):
    """The page of a kind."""

    required_arguments = 1

    def run(self):
        """The parts of the page in their order."""
        kind_name = self.arguments[0]
        if kind_name not in KINDS:
            raise self.error(f"unknown kind {kind_name!r}")
        source, kind = Source("_states", f"lxdapi_{kind_name}"), KINDS[kind_name]
        what = source.about.partition(":depends:")[0]
        words = sorted(source.functions(), key=lambda each: FIRST.index(each) if each in FIRST else len(FIRST))
        states = [headed(f"{source.stem}.{each}", source.described(each)) for each in words]
        found = self.parsed("\n".join([what, *states, module_calls(kind_name, kind), needs(kind)]), source)
        for node in found:
            for described in node.findall(addnodes.desc):
                self._head(described)
        return found

    def _head(self, described):
        """The SLS and the parameters have a heading each, and that order."""
        content = described[-1]
        headings = (("SLS", nodes.literal_block), ("Parameters", nodes.definition_list))
        places = [content.first_child_matching_class(cls) for _, cls in headings]
        if None in places or places != sorted(places) or places[0] == 0:
            raise self.error(f"not a first line, an SLS and parameters: {described[0].astext()}")
        for place, (title, _) in reversed(list(zip(places, headings))):
            content.insert(place, nodes.rubric("", title))


class SectionsDirective(FromDocstrings):
    """A section for each of several files, with its functions in the order of the file."""

    def run(self):
        """The sections in the order of the files' names."""
        sources = [Source(folder, stem) for folder, stem in self.files()]
        return self.parsed("\n".join(map(self._section, sources)), *sources) if sources else []

    def _section(self, source):
        functions = [source.described(word) for word in source.functions()]
        return headed(source.stem, "\n".join([source.about, "", *functions]))


class ModulesDirective(SectionsDirective):
    """The functions of the execution modules."""

    def files(self):
        """All of them."""
        return [("_modules", name) for name in sorted(fronts("_modules"))]


class StatesDirective(SectionsDirective):
    """The states that are about no kind."""

    def files(self):
        """Those that have no page of a kind."""
        return [("_states", name) for name in sorted(fronts("_states")) if name.partition("_")[2] not in KINDS]


def setup(app):
    """Sphinx knows the directives."""
    app.add_directive("lxdapi-kind", KindDirective)
    app.add_directive("lxdapi-modules", ModulesDirective)
    app.add_directive("lxdapi-states", StatesDirective)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
