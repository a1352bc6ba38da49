"""
YAML as people write it: keys in their order, text of several lines as a block, no anchors, and quotes around text that
another YAML parser would take for another type.
"""

import re

import yaml

# libyaml does not accept a block that begins with a tab.
_TAB_FIRST = r"[ \n]*\t"
# Line breaks that PyYAML writes into quotes unescaped and cannot read again.
_OTHER_BREAK = "[\x85\u2028\u2029]"
# Text for PyYAML (which cloud-init uses), but a number for YAML 1.2, or a boolean for other parsers.
_OTHERWISE = r"0o[0-7]+|[-+]?[0-9.]+[eE][-+]?[0-9]+|[yYnN]"


def dump(data, indented_lists=False):
    """
    Return plain data as YAML.

    indented_lists
        True: the entries of a list in a mapping are indented below its key, as in most SLS files.
    """
    dumper = _IndentedDumper if indented_lists else _Dumper
    return yaml.dump(
        data, Dumper=dumper, allow_unicode=True, default_flow_style=False, sort_keys=False, width=float("inf")
    )


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data):
        return True

    def analyze_scalar(self, scalar):
        if "\n" not in scalar or re.match(_TAB_FIRST, scalar):
            return super().analyze_scalar(scalar)
        # PyYAML would not write text with tabs as a block
        analysis = super().analyze_scalar(scalar.replace("\t", "x"))
        analysis.scalar = scalar
        return analysis


class _IndentedDumper(_Dumper):
    def increase_indent(self, flow=False, indentless=False):
        return super().increase_indent(flow, False)


def _text(dumper, text):
    style = (
        '"'
        if re.search(_OTHER_BREAK, text)
        else "|"
        if "\n" in text
        else "'"
        if re.fullmatch(_OTHERWISE, text)
        else None
    )
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
_IndentedDumper.add_representer(str, _text)
