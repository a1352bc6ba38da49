"""
YAML as people write it: keys in their order, a text of several lines as lines, no anchors, and in quotes whatever
another reader of YAML would take for something else.
"""

import re

import yaml

# libyaml does not accept a block that begins with a tab.
_TAB_FIRST = r"[ \n]*\t"
# Breaks of lines that PyYAML would write into quotes as they are, and not read again.
_OTHER_BREAK = "[\x85\u2028\u2029]"
# Text for PyYAML, by which cloud-init reads; for YAML 1.2 a number, for others a truth.
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
        # tabs in it do not keep a text from being a block
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
