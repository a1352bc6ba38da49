{% set member, remote = pillar["member"], pillar["remote"] %}

{{ member }}:
  lxdapi_cluster_member.present:
    - description: changed while {{ salt["lxdapi_cluster.members"](remote=remote)[member]["status"] }}
    - groups: {{ pillar.get("groups", ["default"]) | json }}
    - remote: {{ remote }}
