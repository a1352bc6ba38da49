# The reverse of cloud.sls.

cloud1:
  lxdapi_instance.absent:
    - force: true
