# A step of rolling.sls.

{{ pillar["member"] }}:
  lxdapi_cluster_member.evacuated:
    - remote: {{ pillar.get("remote") | json }}
