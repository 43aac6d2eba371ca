"""Waits for the peer, or writes to it when a line is read: wait-or-ask.py wait|ask HOST PORT"""

import socket
import sys

connection = socket.create_connection((sys.argv[2], int(sys.argv[3])))
print("connected", flush=True)
if sys.argv[1] == "ask":
    sys.stdin.readline()
    connection.sendall(b"x")
connection.recv(1)
