earlier:
  lxdapi_profile.present:
    - remote: {{ pillar["remote"] }}

web:
  lxdapi_profile.present:
    - descripton: web servers
    - remote: {{ pillar["remote"] }}

later:
  lxdapi_profile.present:
    - remote: {{ pillar["remote"] }}
