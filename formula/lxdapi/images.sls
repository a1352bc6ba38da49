{%- from "lxdapi/map.jinja" import lxdapi with context %}
{%- from "lxdapi/libstate.jinja" import objects %}

{{ objects("image", lxdapi.images) }}
