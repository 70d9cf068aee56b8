"""A mail server on a free port that prints every mail as one line of JSON."""
import asyncio
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

TLS = "--tls" in sys.argv


def say(text):
    print(text, flush=True)


def content(data):
    message = email.message_from_bytes(data, policy=email.policy.default)
    names = {"subject": "Subject", "from": "From", "to": "To", "message_id": "Message-ID", "auto": "Auto-Submitted"}
    found = {key: str(message[name]) for key, name in names.items()}
    return {**found, "text": message.get_content().rstrip("\r\n")}


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refused@"):
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        user = (session.auth_data or b"").decode()
        facts = {"envelope": envelope.rcpt_tos[0], "tls": session.ssl is not None, "user": user}
        say("mail " + json.dumps({**content(envelope.content), **facts}))
        if envelope.rcpt_tos[0].startswith("busy@"):
            return "451 4.3.2 come back later"
        if envelope.rcpt_tos[0].startswith("hang@"):
            await asyncio.Event().wait()
        return "250 OK"


def authenticate(server, session, envelope, mechanism, data):
    known = isinstance(data, LoginPassword) and (data.login, data.password) == (b"user", b"secret")
    return AuthResult(success=known, handled=known, auth_data=data.login if known else None)


def options():
    if not TLS:
        return {}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("server.crt", "server.key")
    return {
        "tls_context": context,
        "require_starttls": True,
        "auth_required": True,
        "authenticator": authenticate,
    }


async def main():
    def protocol():
        return SMTP(Handler(), hostname="localhost", enable_SMTPUTF8=True, **options())

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    say(f"port {server.sockets[0].getsockname()[1]}")
    await server.serve_forever()


asyncio.run(main())
