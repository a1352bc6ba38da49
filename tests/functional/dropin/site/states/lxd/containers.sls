{%- from "lxd/map.jinja" import site with context %}

{% for name, container in site.containers.items() %}
{{ name }}:
  lxd_container.present:
    - running: {{ container.running }}
    - source: {{ container.image }}
    - profiles:
      - default
      - shop
    - config:
      - key: user.role
        value: {{ container.role }}
    - require:
      - lxd_image: {{ container.image }}
      - lxd_profile: shop
{% endfor %}

# Test containers that nobody needs any more.
{% for name in salt['lxd.container_list'](True) if name.startswith('test-') %}
{{ name }}:
  lxd_container.absent:
    - stop: true
{% endfor %}

retired:
  lxd_container.absent:
    - stop: true
