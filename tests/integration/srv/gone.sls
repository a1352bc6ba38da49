{% set remote = pillar["remote"] %}

web1:
  lxdapi_instance.absent:
    - force: true
    - remote: {{ remote }}

web:
  lxdapi_profile.absent:
    - remote: {{ remote }}

busybox:
  lxdapi_image.absent:
    - remote: {{ remote }}
