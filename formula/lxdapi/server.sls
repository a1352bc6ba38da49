{%- from "lxdapi/map.jinja" import lxdapi with context %}
{%- from "lxdapi/libstate.jinja" import objects %}

{{ objects("server", {"server": lxdapi.server} if lxdapi.server else {}) }}
