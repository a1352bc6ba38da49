"""
SLS files for Salt's removed lxd states and for saltext-incus.
"""

import re
from functools import partial
from typing import Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Tuple

from lxdapi.convert.counterparts import FUNCTIONS, STATES
from lxdapi.convert.template import Decision, Template, end_of, is_mapping, is_scalar, is_sequence, pairs

_MODULES = {each.partition(".")[0] for each in STATES}
_REQUISITES = re.compile(r"(require|watch|onchanges|onfail|prereq|listen|use)(_any|_all)?(_in)?$")
_CALL = re.compile(r"\b(?:lxd|incus)\.\w+")
# Where each daemon's package has its socket: a remote is not needed for it.
_LOCAL = re.compile(r"/var/(lib|snap)/(lxd|incus)(/common/lxd)?/unix\.socket$")
_QUOTES = "'\""
_INIT = (
    *("storage_backend", "trust_password", "network_address", "network_port"),
    *("storage_create_device", "storage_create_loop", "storage_pool", "done_file"),
)


class State(NamedTuple):
    """A state of the file: an id with a function and its arguments."""

    template: Template
    id_node: Any
    key: Any
    function: str
    # The node with the name of the function alone, if the key has only the module.
    function_node: Optional[Any]
    items: List[Any]

    def parameters(self, name: str) -> Iterator[Tuple[Any, Any, Any]]:
        """Yield (item, key node, value node) of a parameter; Jinja can declare it in several branches."""
        for item in self.items:
            for key, value in pairs(item):
                if key.value == name:
                    yield item, key, value

    def read(self, name: str) -> Optional[str]:
        """Return the text of the value of a parameter, None if it is not declared."""
        return next((self.template.read(value) for _, _, value in self.parameters(name)), None)

    def drop(self, names: Iterable[str]) -> None:
        """Remove parameters."""
        for name in names:
            for item, _, _ in self.parameters(name):
                self.template.drop(item)

    def rename(self, function: str) -> None:
        """Replace the name of the function."""
        module, _, verb = function.partition(".")
        self.template.replace(self.key, function if "." in self.key.value else module)
        if self.function_node:
            self.template.replace(self.function_node, verb)

    def keep_list(self) -> None:
        """Write an empty list if nothing is left of the arguments."""
        if self.items and not self.function_node and all(item in self.template.dropped for item in self.items):
            end = self.template.text.index(":", self.key.end_mark.index) + 1
            if end not in self.template.extended:
                self.template.replace_span(end, end, " []")

    def column(self) -> int:
        """Return the column of the dashes of the arguments."""
        if not self.items:
            return self.key.start_mark.column + 2
        return self.items[0].start_mark.column - 2

    def add(self, text: str) -> None:
        """Add arguments, one in each line, after the key of the state."""
        indented = "".join(f"\n{' ' * self.column()}{line}" for line in text.splitlines())
        start = end = self.template.text.index(":", self.key.end_mark.index) + 1
        if not self.items:  # also the brackets of an empty list
            end = start + len(re.match(r" *\[\s*\]|", self.template.text[start:])[0])  # type: ignore[index]
        self.template.replace_span(start, end, indented)
        self.template.extended.add(start)


def convert_states(template: Template, remotes: Dict[str, Dict[str, Any]]) -> None:
    """
    Convert the states of a template.

    remotes
        The connections that the states declare are added to it: ``{name: {endpoint: ..., cert: ...}}``.
    """
    states = [state for state in list_states(template) if state.function in STATES]
    modules = {}
    for state in states:
        module = (STATES[state.function] or "lxdapi_storage_pool.present").partition(".")[0]
        names = [state.id_node.value, *(value.value for _, _, value in state.parameters("name"))]
        modules.update({(state.function.partition(".")[0], name): module for name in names})
    for state in states:
        _convert_connection(state, remotes)
        for name, convert in _PARAMETERS.get(state.function, {}).items():
            for item, key, value in list(state.parameters(name)):
                convert(state, item, key, value)
        _WHOLE.get(state.function, lambda state: None)(state)
        new = STATES[state.function]
        if new:
            state.rename(new)
        state.keep_list()
    for state in list_states(template):
        _convert_requisites(state, modules)
    _report_functions(template)


def list_states(template: Template) -> Iterator[State]:
    """Yield the states of a template, also those below ``extend``."""
    bodies = list(pairs(template.root))
    for id_node, body in bodies + [pair for key, value in bodies if key.value == "extend" for pair in pairs(value)]:
        if id_node.value in ("include", "exclude", "extend"):
            continue
        if is_scalar(body):  # web: lxd_profile.absent
            yield State(template, id_node, body, body.value, None, [])
        for key, arguments in pairs(body):
            items = arguments.value if is_sequence(arguments) else []
            verb = None if "." in key.value else next((each for each in items if is_scalar(each)), None)
            # Below ``extend``, the function can be left out.
            function = f"{key.value}.{verb.value if verb else 'present'}" if key.value in _MODULES else key.value
            yield State(template, id_node, key, function, verb, [each for each in items if each is not verb])


def _convert_connection(state: State, remotes: Dict[str, Dict[str, Any]]) -> None:
    """Replace the parameters of a connection by a remote."""
    target = state.function == "lxd.authenticate"
    for prefix, parameter in (("", "name" if target else "remote"), ("src_", "source_remote")):
        names = {key: f"{prefix}{key}" for key in ("remote_addr", "cert", "key", "verify_cert")}
        declared = {key: state.read(name) for key, name in names.items()}
        address = (declared["remote_addr"] or "null").strip(_QUOTES)
        if address in ("null", "~", "None") or _LOCAL.search(address):
            state.drop(names.values())
            continue
        remote = address if "{{" in address else _remote_name(address)
        for _, key, value in state.parameters(names["remote_addr"]):
            state.template.replace(key, parameter)
            if "{{" in address:
                state.template.decide(key, f"{parameter}: expected the name of a remote, not its address")
            else:
                state.template.replace(value, remote)
        state.drop(names[key] for key in ("cert", "key", "verify_cert"))
        settings: Dict[str, Any] = {
            "endpoint": address,
            **{key: declared[key] for key in ("cert", "key") if declared[key]},
        }
        verify = declared["verify_cert"]
        if verify and verify.lower() != "true":
            settings["verify"] = False if verify.lower() == "false" else verify
        remotes.setdefault(remote, settings)


def _remote_name(address: str) -> str:
    """Return a name for the remote of an address."""
    return re.sub(r"[^A-Za-z0-9]+", "-", re.sub(r"^https://|:8443/?$", "", address)).strip("-")


def _convert_requisites(state: State, modules: Dict[Tuple[str, str], str]) -> None:
    """Rename the modules in the requisites of a state."""
    for module, name in _requisites(state):
        alone = {new for (old, _), new in modules.items() if old == module.value}
        new = modules.get((module.value, name.value)) or _DEFAULT.get(module.value)
        if new is None and len(alone) == 1:
            (new,) = alone
        if new:
            state.template.replace(module, new)
        else:
            state.template.decide(module, f"{module.value}: which state of lxdapi is {name.value} now?")


def _requisites(state: State) -> Iterator[Tuple[Any, Any]]:
    """Yield (module node, name node) of each requisite of a state that names an old module."""
    for item in state.items:
        for key, value in pairs(item):
            if _REQUISITES.match(key.value) and is_sequence(value):
                found = (pair for each in value.value for pair in pairs(each))
                yield from (pair for pair in found if pair[0].value in _MODULES)


def _report_functions(template: Template) -> None:
    """Add a decision for each line that names an old execution function."""
    for number, line in enumerate(template.text.splitlines()):
        for function in sorted(set(_CALL.findall(line)) - set(STATES)):
            if line.lstrip().startswith("#") or function not in FUNCTIONS:
                continue
            text = f"{function} returns other data than its counterpart, {FUNCTIONS[function]}"
            template.decisions.append(Decision(number + 1, text))


def _rename(new: str, state: State, item: Any, key: Any, value: Any) -> None:
    state.template.replace(key, new)


def _drop(default: str, reason: str, state: State, item: Any, key: Any, value: Any) -> None:
    """Remove a parameter; if it does not have its default, report it."""
    state.template.drop(item)
    if value.value.lower() != default:
        state.template.decide(key, reason)


def _convert_config(state: State, item: Any, key: Any, value: Any) -> None:
    """Make a mapping of a list of keys and values."""
    if is_scalar(value) and "{{" in state.template.read(value):
        state.template.decide(key, "config: expected a mapping, not a list of key and value")
    if not is_sequence(value):
        return
    entries = [dict((name.value, node) for name, node in pairs(each)) for each in value.value]
    if not all({"key", "value"} <= set(entry) for entry in entries):
        state.template.decide(key, "config: expected a list of mappings with key and value")
    elif value.flow_style:
        inner = ", ".join(
            f"{state.template.read(each['key'])}: {state.template.read(each['value'])}" for each in entries
        )
        state.template.replace(value, f"{{{inner}}}")
    else:
        for entry, each in zip(entries, value.value):
            _convert_pair(state.template, key, entry, each)


def _convert_pair(template: Template, parameter: Any, entry: Dict[str, Any], item: Any) -> None:
    """Replace ``- key: a`` and ``value: b`` by ``a: b``, with its comments above it."""
    text, start = template.text, item.start_mark.index
    dash = text.rindex("-", 0, start)
    column = dash - template.line_start(dash)
    indent = " " * max(0, parameter.start_mark.column + 2 - column)
    pad = " " * column + indent
    first, second = sorted((entry["key"], entry["value"]), key=lambda node: node.start_mark.index)
    gap = text[end_of(first) : second.start_mark.index]
    if "{%" in gap:
        template.decide(item, "config: Jinja between key and value")
        return
    comments = "".join(f"{comment.strip()}\n{pad}" for comment in re.findall(r"#[^\n]*", gap))
    pair = f"{template.read(entry['key'])}: {template.read(entry['value'])}"
    template.replace_span(dash, end_of(second), f"{indent}{comments}{pair}")


def _convert_architecture(state: State, item: Any, key: Any, value: Any) -> None:
    if value.value == "unknown":
        state.template.drop(item)


def _convert_kill(state: State, item: Any, key: Any, value: Any) -> None:
    if value.value.lower() == "false":
        state.template.drop(item)
    else:
        state.template.replace(key, "force")
        state.template.replace_span(end_of(value), end_of(value), f"\n{' ' * (key.start_mark.column - 2)}- timeout: 0")


def _convert_image_source(state: State, item: Any, key: Any, value: Any) -> None:
    """Make a text of the source of an image, or name the keys of the REST API."""
    fields = {name.value: node for name, node in pairs(value)}
    origin = fields["type"].value if "type" in fields else None
    text = state.template.read
    if origin in ("file", "url"):
        column = " " * (key.start_mark.column - 2)
        saltenv = f"\n{column}- saltenv: {text(fields['saltenv'])}" if "saltenv" in fields else ""
        place = fields.get("filename", fields.get("url"))
        state.template.replace_span(key.end_mark.index, end_of(value), f": {text(place)}{saltenv}")
    elif origin in ("simplestreams", "lxd"):
        names = {"type": "protocol", "name": "alias", "remote_addr": "server"}
        for name, _ in pairs(value):
            state.template.replace(name, names.get(name.value, name.value))
            if name.value in ("cert", "key", "verify_cert"):
                state.template.decide(
                    name, f"source: remove {name.value}; certificate is that of the server, if needed"
                )
    elif is_mapping(value) or "{{" in text(value):
        state.template.decide(key, "source: expected a file, a URL, or a mapping with server and alias")


def _convert_setting(state: State) -> None:
    """Make a config of one key of ``lxd.config_managed``."""
    name = state.read("name") or state.template.read(state.id_node)
    state.drop(["name", "force_password"])
    for _, key, value in state.parameters("value"):
        pair = f"config:\n{' ' * (key.start_mark.column + 2)}{name}: {state.template.read(value)}"
        state.template.replace_span(key.start_mark.index, end_of(value), pair)
    for _, key, value in state.parameters("force_password"):
        if value.value.lower() == "true":
            state.template.decide(key, "force_password: lxdapi cannot see a password; unset the key first to change it")


def _convert_init(state: State) -> None:
    """Declare the storage pool and the settings that ``lxd.init`` makes."""
    values = {name: state.read(name) for name in _INIT}
    size = values["storage_create_loop"]
    config = {"source": values["storage_create_device"], "size": f"{size}GiB" if (size or "").isdigit() else size}
    pool = [f"- name: {values['storage_pool'] or 'default'}", f"- driver: {values['storage_backend'] or 'dir'}"]
    pool += _config_lines({key: value for key, value in config.items() if value})
    server = {"core.trust_password": values["trust_password"]}
    if values["network_address"]:
        server["core.https_address"] = f'"{values["network_address"].strip(_QUOTES)}:{values["network_port"] or 8443}"'
    column = " " * state.key.start_mark.column
    settings = _config_lines({key: value for key, value in server.items() if value})
    if settings:
        lines = "".join(f"\n{column}  {line}" for line in settings)
        end = max([end_of(item) for item in state.items] or [state.template.line_end(state.key.end_mark.index) - 1])
        state.template.replace_span(end, end, f"\n{column}lxdapi_server.present:{lines}")
    state.drop(_INIT)
    state.add("\n".join(pool))
    state.rename("lxdapi_storage_pool.present")
    state.template.decide(state.key, "lxd.init also made a network and the devices of the profile default")


def _config_lines(config: Dict[str, Any]) -> List[str]:
    return ["- config:", *(f"    {key}: {value}" for key, value in config.items())] if config else []


def _add_force(state: State) -> None:
    """Declare the default of ``incus.absent``."""
    if state.read("force") is None:
        state.add("- force: true")


_Convert = Callable[[State, Any, Any, Any], None]
_RESTART = "restart: use watch, or the function lxdapi_instance.restart"
_WAYS = "transport, pillar_mode, precompiled and cleanup do not exist: see the page about Salt inside instances"
_WAYS_DEFAULTS = {"transport": "thin", "pillar_mode": "file", "precompiled": "false", "cleanup": "true"}
_START = "start: lxdapi_instance.frozen always starts a stopped instance"
_PARAMETERS: Dict[str, Dict[str, _Convert]] = {
    "lxd_container.present": {"config": _convert_config, "architecture": _convert_architecture},
    "lxd_container.absent": {"stop": partial(_rename, "force")},
    "lxd_container.running": {"restart": partial(_drop, "false", _RESTART)},
    "lxd_container.frozen": {"start": partial(_drop, "true", _START)},
    "lxd_container.stopped": {"kill": _convert_kill},
    "lxd_container.migrated": {"stop_and_start": partial(_rename, "allow_stop")},
    "lxd_image.present": {"source": _convert_image_source},
    "lxd_profile.present": {"config": _convert_config},
    "incus.present": {"image": partial(_rename, "source")},
    "incus.sls_applied": {name: partial(_drop, default, _WAYS) for name, default in _WAYS_DEFAULTS.items()},
}
_WHOLE: Dict[str, Callable[[State], None]] = {
    "lxd.config_managed": _convert_setting,
    "lxd.init": _convert_init,
    "incus.absent": _add_force,
}
# The module of a requisite whose state is in another file.
_DEFAULT = {
    "lxd_container": "lxdapi_instance",
    "lxd_image": "lxdapi_image",
    "lxd_profile": "lxdapi_profile",
    "incus": "lxdapi_instance",
}
