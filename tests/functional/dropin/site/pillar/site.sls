site:
  memory: 64MiB
  images:
    busybox:
      file: busybox.tar.gz
      aliases: [box]
  containers:
    web1:
      image: busybox
      role: web
      running: true
    db1:
      image: busybox
      role: db
      running: false
