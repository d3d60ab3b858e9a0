"""A store that speaks S3's protocol, on a free port; ends with its standard input."""

import sys

from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
sys.stdout.write(f"{host}:{port}\n")
sys.stdout.flush()
sys.stdin.read()
server.stop()
