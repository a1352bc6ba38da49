{%- from "lxd/map.jinja" import site with context %}

# Every container of the shop.
shop:
  lxd_profile.present:
    - description: the web shop
    - config:
      - key: limits.memory
        value: {{ site.memory }}
      - key: boot.autostart
        value: 1
    - devices:
        data:
          type: disk
          source: /tmp
          path: /data
