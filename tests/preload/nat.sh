#!/bin/sh
# A client, a router with NAT that forgets idle connections after 3 s, and a server behind it:
#
#   nat COMMAND...    makes them in namespaces of their own and runs COMMAND on the client's host
#
# There, `nsenter --net=/run/netns/far` runs a program on the server's host, 203.0.113.1. Nothing stays
# when COMMAND ends. lab/hosts is its relative, with two hosts and a network to be cut.
set -eu
PATH=$PATH:/usr/sbin:/sbin

if [ "${1-}" != inside ]; then
    exec unshare --mount --net --pid --fork --kill-child --mount-proc -- "$0" inside "$@"
fi
shift

mount -t tmpfs tmpfs /run
ip link set dev lo up
ip netns attach near $$
ip netns add router
ip netns add far
ip link add to-router type veth peer name inside netns router
ip -n router link add outside type veth peer name to-router netns far
ip address add 10.77.0.2/24 dev to-router
ip link set dev to-router up
ip route add default via 10.77.0.1 dev to-router
ip -n router -batch - <<END
address add 10.77.0.1/24 dev inside
address add 203.0.113.254/24 dev outside
link set dev inside up
link set dev outside up
END
ip -n far -batch - <<END
address add 203.0.113.1/24 dev to-router
link set dev lo up
link set dev to-router up
END
nsenter --net=/run/netns/router sh -eu <<END
echo 1 >/proc/sys/net/ipv4/ip_forward
nft 'add table ip nat; add chain ip nat leaving { type nat hook postrouting priority 100; }'
nft 'add rule ip nat leaving oifname outside masquerade'
echo 3 >/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_established
END
"$@"
