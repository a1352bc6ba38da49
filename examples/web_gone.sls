# The reverse of web.sls.

{% for name in ("web1", "web2") %}
{{ name }}:
  lxdapi_instance.absent:
    - force: true
    - require_in:
        - lxdapi_image: busybox
        - lxdapi_profile: web
{% endfor %}

web:
  lxdapi_profile.absent

busybox:
  lxdapi_image.absent
