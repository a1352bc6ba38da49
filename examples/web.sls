# An image from a file, a profile, and two containers made from both.

busybox:
  lxdapi_image.present:
    - source: salt://busybox.tar.gz
    - properties:
        purpose: demo

web:
  lxdapi_profile.present:
    - description: web servers
    - config:
        limits.memory: {{ salt["pillar.get"]("memory", "64MiB") }}
        boot.autostart: true

{% for name in ("web1", "web2") %}
{{ name }}:
  lxdapi_instance.present:
    - source: busybox
    - description: made by Salt
    - profiles:
        - default
        - web
    - config:
        user.role: web
    - running: true
    - require:
        - lxdapi_image: busybox
        - lxdapi_profile: web
{% endfor %}
