{% set remote = pillar["remote"] %}

busybox:
  lxdapi_image.present:
    - source: salt://images/busybox.tar.gz
    - remote: {{ remote }}

web:
  lxdapi_profile.present:
    - description: web servers
    - config:
        user.owner: {{ pillar.get("owner", "team a") }}
    - remote: {{ remote }}

web1:
  lxdapi_instance.present:
    - source: busybox
    - profiles:
      - default
      - web
    - running: true
    - remote: {{ remote }}
    - require:
      - lxdapi_image: busybox
      - lxdapi_profile: web
