#!/usr/bin/env python3
"""Another machine on a network that has a name already, as multicast DNS knows it: NAME OUR-ADDRESS SECONDS.

Says so unasked every second, and answers whoever asks, as RFC 6762 wants it of the owner of a name."""
import socket, struct, sys, time

name, ours, seconds = sys.argv[1:]
GROUP = ('224.0.0.251', 5353)
labels = b''.join(bytes([len(label)]) + label.encode() for label in name.split('.')) + b'\0'
# An answer: the address, for two minutes, and nobody else's (the bit for the cache).
record = labels + struct.pack('>HHIH', 1, 0x8001, 120, 4) + socket.inet_aton(ours)
answer = struct.pack('>6H', 0, 0x8400, 0, 1, 0, 0) + record

owner = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
owner.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
owner.bind(('', 5353))
owner.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUP[0]) + socket.inet_aton(ours))
owner.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(ours))
owner.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
owner.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
owner.settimeout(0.1)
end, next_word = time.monotonic() + float(seconds), 0
while time.monotonic() < end:
    if time.monotonic() >= next_word:
        owner.sendto(answer, GROUP)
        next_word = time.monotonic() + 1
    try:
        asked = owner.recv(9000)
    except TimeoutError:
        continue
    # A question, and not an answer, in which the name stands.
    if len(asked) > 12 and not asked[2] & 0x80 and labels[:-1].lower() in asked.lower():
        owner.sendto(answer, GROUP)
