# A step of rolling.sls.

{{ pillar["member"] }}:
  lxdapi_cluster_member.restored:
    - remote: {{ pillar.get("remote") | json }}
