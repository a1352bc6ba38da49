# The host itself.
images.remote_cache_expiry:
  lxd.config_managed:
    - value: "5"
