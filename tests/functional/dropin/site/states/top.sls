base:
  '*':
    - lxd
