busybox:
  lxd_image.present:
    - source: {type: file, filename: salt://busybox.tar.gz}
    - aliases: [box2]
    - public: false

web:
  lxd_profile.present:
    - description: the front
    - config:
        limits.memory: 256MiB
        user.new: "yes"
    - devices:
        data:
          type: disk
          source: /tmp
          path: /data2

web1:
  lxd_container.present:
    - running: true
    - restart_on_change: true
    - profiles: [default]
    - config:
        boot.autostart: 0
        user.other: x
    - devices:
        more:
          type: disk
          source: /tmp
          path: /more

web2 started:
  lxd_container.running:
    - name: web2

web2 started again:
  lxd_container.running:
    - name: web2

web2 restarted:
  lxd_container.running:
    - name: web2
    - restart: true

web2 frozen:
  lxd_container.frozen:
    - name: web2

web3 started and frozen:
  lxd_container.frozen:
    - name: web3

nope stopped:
  lxd_container.stopped:
    - name: nope
