"""Fetches one page with tlslite-ng: HOST PORT VERSION CIPHER MAC [PATH], with VERSION ssl3, tls1, tls1_2 or tls1_3.

The answer goes to standard output. What was agreed on must be what was asked for.
"""

import socket
import sys

from tlslite.api import HandshakeSettings, TLSConnection, X509CertChain

VERSIONS = {"ssl3": (3, 0), "tls1": (3, 1), "tls1_2": (3, 3), "tls1_3": (3, 4)}


def main():
    host, port, version, cipher, mac = sys.argv[1:6]
    settings = HandshakeSettings()
    settings.minVersion = settings.maxVersion = VERSIONS[version]
    settings.cipherNames = [cipher]
    if mac != "-":
        settings.macNames = [mac]
    if version in ("ssl3", "tls1"):
        settings.keyExchangeNames = ["rsa"]
        settings.useEncryptThenMAC = False
        settings.useExtendedMasterSecret = False
    connection = TLSConnection(socket.create_connection((host, int(port)), timeout=20))
    connection.closeSocket = True
    connection.ignoreAbruptClose = False
    connection.handshakeClientCert(settings=settings)
    session = connection.session
    assert connection.version == VERSIONS[version], connection.version
    assert session.getCipherName() == cipher, session.getCipherName()
    assert isinstance(session.serverCertChain, X509CertChain)
    # In two records.
    path = sys.argv[6] if len(sys.argv) > 6 else "/AuthLogin?username=a&password=b"
    connection.send(b"GET " + path[:10].encode())
    connection.send(path[10:].encode() + b" HTTP/1.0\r\n\r\n")
    while True:
        data = connection.recv(5000)
        if not data:
            break
        sys.stdout.buffer.write(data)
    connection.close()


main()
