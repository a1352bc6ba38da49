# Apply an SLS to the members of a cluster, one after the other: evacuate a member, apply the SLS there, restore the
# member. The first failure ends the run and leaves that member evacuated, so that you can look at it.
#
#     salt-run state.orchestrate orch.rolling pillar='{"members": {"n1": "minion1", "n2": "minion2"}, "sls": "web"}'
#
# members: {member: its minion}; sls: the SLS; pillar: its pillar; remote: name of a remote under lxdapi:remotes.

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
