busybox:
  lxd_image.present:
    - source:
        type: file
        filename: salt://busybox.tar.gz
    - aliases:
      - box
    - public: true

web:
  lxd_profile.present:
    - description: web servers
    - config:
      - key: limits.memory
        value: 512MiB
      - key: user.tier
        value: 1
    - devices:
        data:
          type: disk
          source: /tmp
          path: /data

bare:
  lxd_profile.present: []

web1:
  lxd_container.present:
    - running: true
    - source: busybox
    - profiles: [default, web]
    - config:
      - key: boot.autostart
        value: 1
      - key: user.owner
        value: shop
    - devices:
        srv:
          type: disk
          source: /tmp
          path: /srv

web2:
  lxd_container.present:
    - running: false
    - source: {type: image, alias: busybox}
    - config:
        limits.memory: 64MiB

web3:
  lxd_container.present:
    - source: {type: copy, source: web2}
    - config:
        limits.memory: 64MiB

images.remote_cache_expiry:
  lxd.config_managed:
    - value: 5
