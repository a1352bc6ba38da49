# The reverse of site.sls.

app1:
  lxdapi_instance.absent:               # with its snapshots
    - force: true

site:
  lxdapi_profile.absent

default/site-data:
  lxdapi_storage_volume.absent

sitebr0:
  lxdapi_network.absent                 # with its forwards

acl of the site:
  lxdapi_network_acl.absent:
    - name: site

site.example.com:
  lxdapi_network_zone.absent            # with its records

busybox:
  lxdapi_image.absent
