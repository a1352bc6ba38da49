# Files inside the container web1, running or not: one from a template, a tree from the file server, a link.

/etc/site/site.conf:
  lxdapi_file.managed:
    - instance: web1
    - source: salt://site/site.conf.jinja
    - template: jinja
    - context:
        port: 8080
    - mode: 0640
    - makedirs: true

/srv/site:
  lxdapi_file.recurse:
    - instance: web1
    - source: salt://site/www
    - clean: true                       # what is not in the source goes

/etc/site/www:
  lxdapi_file.symlink:
    - instance: web1
    - target: /srv/site
