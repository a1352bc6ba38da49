# Rolls a change over the members of a cluster, one after the other: a member is evacuated, an SLS is applied there, and
# the member is restored. The first failure ends it; that member stays evacuated until somebody has looked at it.
#
#     salt-run state.orchestrate orch.rolling pillar='{"members": {"n1": "minion1", "n2": "minion2"}, "sls": "web"}'
#
# members: {member: its minion}; sls: what is applied; pillar: what that is given; remote: a name under lxdapi:remotes.

{% for member, minion in pillar["members"].items() %}
{% set given = dict(pillar.get("pillar", {}), member=member, remote=pillar.get("remote")) %}
{% set steps = {"evacuated": slsdotpath ~ ".evacuated", "changed": pillar["sls"], "restored": slsdotpath ~ ".restored"} %}
{% for done, sls in steps.items() %}
{{ member }} is {{ done }}:
  salt.state:
    - tgt: {{ minion | json }}
    - sls: {{ sls | json }}
    - pillar: {{ given | json }}
    - failhard: true
{% endfor %}
{% endfor %}
