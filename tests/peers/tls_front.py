"""TLS before a meter that speaks plain HTTP, as a HomeWizard meter or a proxy does it.

Prints `port N` when it listens, and the protocol of each handshake that both sides accepted. One question and its answer
fit into one record each. With --once it closes the connection after each answer, as small devices do.
"""

import argparse
import socket
import ssl
import threading

RECORD = 16384


def serve(raw, context, options):
    host, port = options.to.split(":")
    try:
        with context.wrap_socket(raw, server_side=True) as outside, socket.create_connection((host, port)) as inside:
            # A client of TLS 1.3 refuses the certificate only after the server's side of the handshake is done.
            while question := outside.recv(RECORD):
                if options.told is not outside:
                    print(outside.version(), flush=True)
                    options.told = outside
                inside.sendall(question)
                outside.sendall(inside.recv(RECORD))
                if options.once:
                    outside.unwrap()
                    return
    except OSError:
        # The other side refused, or went.
        raw.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--certificate", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--to", required=True, help="address:port of the meter")
    parser.add_argument("--tls12", action="store_true", help="no newer version")
    parser.add_argument("--once", action="store_true")
    options = parser.parse_args()
    options.told = None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.certificate, options.key)
    if options.tls12:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print("port", listener.getsockname()[1], flush=True)
        while True:
            raw, _ = listener.accept()
            threading.Thread(target=serve, args=(raw, context, options), daemon=True).start()


main()
