# Rotated snapshots, and backups as files, of an instance and a volume.

{% set folder = salt["config.get"]("backups", "/srv/backups") %}

web1:
  lxdapi_instance.present:
    - source: busybox
  lxdapi_snapshot.rotated:
    - daily: 7
    - weekly: 4
    - monthly: 6

backup of web1:
  lxdapi_instance.exported:
    - name: web1
    - path: {{ folder }}/web1.tar.gz
    - max_age: 7d
    - instance_only: true

default/data:
  lxdapi_storage_volume.present: []
  lxdapi_snapshot.rotated:
    - keep_last: 24
    - every: 1h

backup of the data:
  lxdapi_storage_volume.exported:
    - name: default/data
    - path: {{ folder }}/data.tar.gz
    - max_age: 7d
