{%- from "lxdapi/map.jinja" import lxdapi with context %}
{%- from "lxdapi/libstate.jinja" import objects %}

{{ objects("network_acl", lxdapi.network_acls) }}
{{ objects("network_zone", lxdapi.network_zones) }}
{{ objects("network", lxdapi.networks) }}
{{ objects("network_forward", lxdapi.network_forwards) }}
