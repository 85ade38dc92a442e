"""A mail server that takes mail after STARTTLS and a login, made with aiosmtpd.

Prints `port N` when it listens, then each mail as a line of JSON.
"""

import argparse
import asyncio
import email
import email.policy
import json
import ssl

from aiosmtpd.smtp import SMTP, AuthResult


class Keeper:
    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        line = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "tls": session.ssl is not None,
            "authenticated": session.authenticated,
            "subject": mail["Subject"],
            "sender": mail["From"],
            "date": mail["Date"] is not None,
            "message_id": mail["Message-ID"],
            "text": mail.get_content(),
        }
        print(json.dumps(line), flush=True)
        return "250 kept"


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--certificate", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--user", required=True)
    parser.add_argument("--password", required=True)
    options = parser.parse_args()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.certificate, options.key)

    def right(server, session, envelope, mechanism, data):
        wanted = (options.user.encode(), options.password.encode())
        return AuthResult(success=(data.login, data.password) == wanted)

    def session():
        return SMTP(
            Keeper(),
            hostname="localhost",
            tls_context=context,
            require_starttls=True,
            authenticator=right,
            auth_required=True,
        )

    server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", 0)
    print("port", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
