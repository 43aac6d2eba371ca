"""Waits for data, without keepalive: stuck.py HOST PORT"""

import socket
import sys

connection = socket.create_connection((sys.argv[1], int(sys.argv[2])))
print("waiting", flush=True)
try:
    connection.recv(1)
    print("answered", flush=True)
except OSError as error:
    print(error, flush=True)
