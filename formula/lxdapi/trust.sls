{%- from "lxdapi/map.jinja" import lxdapi with context %}
{%- from "lxdapi/libstate.jinja" import objects %}

{{ objects("certificate", lxdapi.certificates) }}
{{ objects("trust", lxdapi.trust) }}
