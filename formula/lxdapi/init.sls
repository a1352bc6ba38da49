# In the order in which the parts need each other.
include:
  - lxdapi.package
  - lxdapi.service
  - lxdapi.storage
  - lxdapi.server
  - lxdapi.networks
  - lxdapi.profiles
  - lxdapi.trust
  - lxdapi.images
  - lxdapi.instances
