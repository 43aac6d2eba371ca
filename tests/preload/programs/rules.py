"""Opens sockets in every way to the addresses of two servers, and prints which of them have keepalive.

rules.py PORT OTHER_PORT: something listens at both, on 127.0.0.1, 127.0.0.2 and ::1.
"""

import select
import socket
import sys

PORT, OTHER = int(sys.argv[1]), int(sys.argv[2])


def shown(name, sock):
    values = [sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE), sock.getsockopt(socket.IPPROTO_TCP, 4)]
    print(f"{name}: {values[0]} {values[1]}", flush=True)


def connect(name, family, address, blocking=True):
    sock = socket.socket(family)
    sock.setblocking(blocking)
    sock.connect_ex(address)
    select.select([], [sock], [], 5)
    if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0:
        raise SystemExit(f"{name} does not connect")
    shown(name, sock)
    sock.close()


for blocking in (True, False):
    how = "blocking" if blocking else "not blocking"
    connect(f"IPv4, {how}", socket.AF_INET, ("127.0.0.1", PORT), blocking)
    connect(f"IPv6, {how}", socket.AF_INET6, ("::1", PORT), blocking)
    connect(f"IPv4 in IPv6, {how}", socket.AF_INET6, ("::ffff:127.0.0.1", PORT), blocking)
connect("other port", socket.AF_INET, ("127.0.0.1", OTHER))
connect("other address", socket.AF_INET, ("127.0.0.2", PORT))
connect("other port, IPv6", socket.AF_INET6, ("::1", OTHER))

for name, family, address in (
    ("listening at 127.0.0.3", socket.AF_INET, ("127.0.0.3", PORT)),
    ("listening at 0.0.0.0", socket.AF_INET, ("0.0.0.0", 0)),
):
    listener = socket.socket(family)
    listener.bind(address)
    listener.listen()
    shown(name, listener)
