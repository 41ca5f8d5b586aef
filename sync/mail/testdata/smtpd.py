"""An SMTP server that is not ours (python3-aiosmtpd): says where it listens, then each mail it took, a line of JSON each.

smtpd.py [--tls CERTIFICATE KEY] [--implicit] [--user NAME:PASSWORD]
An address that begins with `refused` is refused for good, one that begins with `later` for now; one that begins with `lost` loses
the connection when the mail was handed over.
"""
import argparse, asyncio, json, ssl, sys
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

asked = argparse.ArgumentParser()
asked.add_argument("--tls", nargs=2)
asked.add_argument("--implicit", action="store_true")
asked.add_argument("--user")
asked = asked.parse_args()


def say(**what):
    print(json.dumps(what), flush=True)


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refused"):
            return "550 5.1.1 no such mailbox: " + address
        if address.startswith("later"):
            return "451 4.3.0 come again: " + address
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if envelope.rcpt_tos[0].startswith("lost"):
            server.transport.abort()
            return "421 lost"
        say(to=envelope.rcpt_tos, sender=envelope.mail_from, tls=session.ssl is not None or asked.implicit,
            authenticated=bool(session.authenticated), data=envelope.content.decode())
        return "250 OK"


def check(server, session, envelope, mechanism, data):
    name, _, password = (asked.user or ":").partition(":")
    good = isinstance(data, LoginPassword) and data.login == name.encode() and data.password == password.encode()
    return AuthResult(success=good)


async def main():
    context = None
    if asked.tls:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*asked.tls)
    starttls = None if asked.implicit else context

    def serve():
        return SMTP(Handler(), hostname="mail.example", tls_context=starttls, require_starttls=starttls is not None,
                    authenticator=check if asked.user else None, auth_required=bool(asked.user),
                    auth_require_tls=bool(asked.tls) and not asked.implicit)

    server = await asyncio.get_running_loop().create_server(serve, "127.0.0.1", 0, ssl=context if asked.implicit else None)
    say(port=server.sockets[0].getsockname()[1])
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)  # until whoever started it ends


asyncio.run(main())
