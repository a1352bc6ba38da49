{%- from "lxd/map.jinja" import site with context %}

{% for name, image in site.images.items() %}
{{ name }}:
  lxd_image.present:
    - source:
        type: file
        filename: salt://{{ image.file }}    # beside the top file
    - aliases: {{ image.aliases }}
    - public: true
{% endfor %}
