"""`python -m tests.stripe_standin`: serve until SIGTERM or SIGINT."""

import asyncio
import os

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server.embed import Server

from app import processes
from tests.stripe_standin.bank import Bank
from tests.stripe_standin.postman import Postman
from tests.stripe_standin.server import create_app

PORT = int(os.environ.get("STRIPE_STANDIN_PORT", "12111"))
SECRET_KEY = os.environ.get("STRIPE_SECRET_KEY", "sk_test_standin")
POSTMAN = Postman(
    os.environ.get("STRIPE_WEBHOOK_SECRET", "whsec_standin"),
    os.environ.get("STRIPE_STANDIN_WEBHOOK", "http://localhost:8000/webhooks/stripe"),
)

if __name__ == "__main__":
    processes.begin()
    app = create_app(Bank(f"http://localhost:{PORT}", POSTMAN), SECRET_KEY)
    server = Server(app, port=PORT, interface=Interfaces.ASGI, log_level=LogLevels.warning)
    asyncio.run(server.serve())
