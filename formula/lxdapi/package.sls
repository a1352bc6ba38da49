{%- from "lxdapi/map.jinja" import daemon with context %}
{%- from "lxdapi/libstate.jinja" import state %}

{%- if daemon.repository %}
{{ state("lxdapi repository", "pkgrepo.managed", daemon.repository) }}
{%- endif %}

{%- if daemon.package %}
{{ state("lxdapi package", "pkg.installed", daemon.package) }}
{%- endif %}

{%- if daemon.snap %}

lxdapi snap:
  cmd.run:
    - name: snap install {{ daemon.snap.name }} --channel={{ daemon.snap.channel }}
    - unless: snap list {{ daemon.snap.name }}
{%- endif %}
