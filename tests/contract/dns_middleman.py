"""Stands between the RFC 2136 adapter and a DNS server, for tests/contract/dns_rfc2136.

    dns_middleman.py LISTEN_PORT SERVER_PORT MODE_FILE

Questions (UDP) pass. What happens to an update (TCP) stands in MODE_FILE, read anew each time:
    pass            it goes through, and so does its answer
    deaf            it is accepted and goes nowhere
    mute            it goes through, its answer does not come back
    forge           it goes through, and the answer comes back without its signature
    keep FILE       as deaf, and it is kept in FILE
    first COMMAND   COMMAND (a shell line) runs before it goes through: somebody is faster
"""
import select
import socket
import struct
import subprocess
import sys
import threading

listen_port, server_port, mode_file = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
held = []  # sockets that stay open without a word


def read_message(stream):
    head = stream.recv(2, socket.MSG_WAITALL)
    return head + stream.recv(struct.unpack("!H", head)[0], socket.MSG_WAITALL)


def unsigned(answer):
    """The header alone, without any record: what anybody could have sent."""
    header = answer[2:6] + b"\0" * 8
    return struct.pack("!H", len(header)) + header


def serve_update(client):
    message = read_message(client)
    with open(mode_file, encoding="utf-8") as file:
        mode, _, argument = file.read().strip().partition(" ")
    if mode in ("deaf", "keep"):
        if mode == "keep":
            with open(argument, "wb") as file:
                file.write(message)
        held.append(client)
        return
    if mode == "first":
        subprocess.run(argument, shell=True, check=True)
    server = socket.create_connection(("127.0.0.1", server_port))
    server.sendall(message)
    answer = read_message(server)
    if mode == "mute":
        held.append(client)
        return
    client.sendall(unsigned(answer) if mode == "forge" else answer)
    client.close()


def main():
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(("127.0.0.1", listen_port))
    streams = socket.create_server(("127.0.0.1", listen_port))
    while True:
        for ready in select.select([datagrams, streams], [], [])[0]:
            if ready is streams:
                threading.Thread(target=serve_update, args=(streams.accept()[0],), daemon=True).start()
                continue
            question, sender = datagrams.recvfrom(65535)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
                server.sendto(question, ("127.0.0.1", server_port))
                datagrams.sendto(server.recv(65535), sender)


main()
