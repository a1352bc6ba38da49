include:
  - lxd.server
  - lxd.images
  - lxd.profiles
  - lxd.containers
