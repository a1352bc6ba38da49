{%- from "lxdapi/map.jinja" import lxdapi with context %}
{%- from "lxdapi/libstate.jinja" import objects %}

{{ objects("storage_pool", lxdapi.storage_pools) }}
{{ objects("project", lxdapi.projects) }}
{{ objects("storage_volume", lxdapi.storage_volumes) }}
