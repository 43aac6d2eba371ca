"""Connects to HOST PORT and waits."""

import socket
import sys

connection = socket.create_connection((sys.argv[1], int(sys.argv[2])))
sys.stdin.read()
