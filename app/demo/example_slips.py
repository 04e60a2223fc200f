"""Pictures of transfer slips that never were: they say so, and carry a small code as banks print it."""

import io
from typing import Final

import segno
from PIL import Image, ImageDraw, ImageFont

from app.clock import thai_datetime
from app.money import Satang, baht
from orders.order import Order
from orders.slip_qr import SlipReference, make_payload

SIZE: Final = (720, 1020)
PAPER, INK, BLUE = "#FBF8F1", "#1F2A24", "#22406B"


def picture(order: Order, reference: SlipReference) -> bytes:
    """Draw the slip of an order's whole amount as a JPEG."""
    image = Image.new("RGB", SIZE, PAPER)
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, SIZE[0], 150), fill=BLUE)
    # Pillow's own face has no Thai letters; figures and English are enough to see what this is.
    pen.text((40, 45), "EXAMPLE SLIP", fill="white", font=ImageFont.load_default(52))
    amount = baht(Satang(order.due_satang), exact=True).replace("฿", "THB ")
    lines = (
        ("Not a real transfer", 30),
        (amount, 64),
        (thai_datetime(order.placed_at, "en"), 34),
        (f"To PromptPay {order.receiver_promptpay_id}", 34),
        (f"Order {order.spoken_number}", 34),
        (f"Ref. {reference.trans_ref}", 34),
    )
    top = 190
    for words, size in lines:
        pen.text((40, top), words, fill=INK, font=ImageFont.load_default(size))
        top += round(size * 1.6)
    code = Image.open(_code(reference)).convert("RGB")
    image.paste(code, (SIZE[0] - code.width - 40, SIZE[1] - code.height - 40))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=85)
    return file.getvalue()


def _code(reference: SlipReference) -> io.BytesIO:
    file = io.BytesIO()
    segno.make_qr(make_payload(reference.bank_code, reference.trans_ref)).save(file, kind="png", scale=6)
    file.seek(0)
    return file
