{%- from "lxdapi/map.jinja" import daemon with context %}

include:
  - lxdapi.package

{%- if daemon.service %}

lxdapi service:
  service.running:
    - name: {{ daemon.service }}
    - enable: true
    - require:
      - sls: lxdapi.package
{%- endif %}
