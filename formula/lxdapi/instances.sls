{%- from "lxdapi/map.jinja" import lxdapi with context %}
{%- from "lxdapi/libstate.jinja" import objects %}

{{ objects("instance", lxdapi.instances) }}
