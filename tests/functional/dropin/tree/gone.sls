web1 stopped:
  lxd_container.stopped:
    - name: web1
    - kill: true

web1:
  lxd_container.absent: []

web2 and its memory:
  lxd_container.absent:
    - name: web2

nope:
  lxd_container.absent: []

bare:
  lxd_profile.absent: []

box2:
  lxd_image.absent: []

default:
  lxd_profile.absent: []
