#!/usr/bin/env python3
"""Asks everybody on a network for the address of a name, as Windows and phones do: mdns|llmnr NAME OUR-ADDRESS.

Prints the address, or nothing if nobody answers."""
import socket, struct, sys, time

how, name, ours = sys.argv[1:]
# RFC 6762 and RFC 4795. Asked from a port that is not 5353, mDNS is answered to that port alone.
group = {'mdns': ('224.0.0.251', 5353), 'llmnr': ('224.0.0.252', 5355)}[how]
labels = b''.join(bytes([len(label)]) + label.encode() for label in name.split('.')) + b'\0'
question = labels + struct.pack('>HH', 1, 1)
query = struct.pack('>6H', 0x4d43, 0, 1, 0, 0, 0) + question

asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asker.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(ours))
asker.bind((ours, 0))
asker.settimeout(1)
end = time.monotonic() + 20
while time.monotonic() < end:
    asker.sendto(query, group)
    try:
        answer = asker.recv(9000)
    except TimeoutError:
        continue
    ident, flags, questions, answers = struct.unpack_from('>4H', answer)
    at = 12 + questions * len(question)
    if ident != 0x4d43 or not flags & 0x8000 or not answers:
        continue
    # The name of the answer, in full or as a pointer; then type, class, time to live, length and the address.
    while answer[at] and answer[at] < 0xc0:
        at += answer[at] + 1
    at += 2 if answer[at] else 1
    kind, _, _, length = struct.unpack_from('>HHIH', answer, at)
    if (kind, length) == (1, 4):
        print(socket.inet_ntoa(answer[at + 10:at + 14]))
        break
