"""A centre's demand as a workbook (XLSX), for whoever plans the van and the boxes in a spreadsheet.

What people typed is always written as text: a listing that calls itself "=1+1" is a name, never a formula.  The totals
are formulas of ours, so they follow when a coordinator corrects an amount by hand; their values are written as well.
"""

import io
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from app import clock
from app.clock import BANGKOK
from app.language import N_, Bilingual, Language, translate
from incubation_centers.consolidation import Demand, DemandLine, Span
from orders.delivery import NAMES
from orders.states import DeliveryKind
from producers.centers import Center

MEDIA_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
HEAD_ROW: Final = 2
"""Counted from zero: a title and the days stand above the head."""

PLACES: Final = (DeliveryKind.pickup_center, DeliveryKind.pickup_group, DeliveryKind.parcel)
ADDED_UP: Final = (
    (N_("Group"), 30),
    (N_("Product"), 38),
    (N_("Unit"), 18),
    *((NAMES[place], 16) for place in PLACES),
    (N_("In all"), 12),
    (N_("Packed already"), 14),
    (N_("Still to gather"), 14),
    (N_("Weight (kg)"), 13),
    (N_("Baht"), 14),
)
LINES: Final = (
    (N_("Order no."), 12),
    (N_("Ordered on"), 18),
    (N_("Group"), 30),
    (N_("Product"), 38),
    (N_("Unit"), 18),
    (N_("Amount"), 12),
    (N_("Delivery"), 18),
    (N_("Packed already"), 14),
    (N_("Baht"), 14),
)


def workbook(center: Center, demand: Demand, lines: Sequence[DemandLine], lang: Language) -> bytes:
    """Return the workbook: a sheet added up by group and product, and a sheet of the order lines behind it."""
    file = io.BytesIO()
    book = Workbook(
        file,
        {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False},
    )
    _Pen(book, center, demand.span, lang).write(demand, lines)
    book.close()
    return file.getvalue()


def days_in_words(span: Span, lang: Language) -> str:
    """Say which days a demand covers."""
    first, last = (clock.thai_date(day, lang, "medium") if day else None for day in span)
    if first and last:
        return translate(lang, N_("ordered from %(first)s to %(last)s"), first=first, last=last)
    if first:
        return translate(lang, N_("ordered since %(first)s"), first=first)
    if last:
        return translate(lang, N_("ordered until %(last)s"), last=last)
    return translate(lang, N_("everything that is open"))


def file_name(center: Center, day: date) -> str:
    return f"demand-{center.slug}-{day.isoformat()}.xlsx"


class _Pen:
    """Writes both sheets; knows the language and the formats."""

    def __init__(self, book: Workbook, center: Center, span: Span, lang: Language) -> None:
        self.book, self.lang = book, lang
        self.title = Bilingual(center.name_th, center.name_en).reading(lang)
        self.days = days_in_words(span, lang)
        face = {"font_name": "Sarabun", "font_size": 11, "valign": "top"}
        self.text = self._format(face, text_wrap=True, quote_prefix=True)
        self.whole = self._format(face, num_format="#,##0")
        self.part = self._format(face, num_format="#,##0.0##")
        self.baht = self._format(face, num_format="#,##0.00")
        self.moment = self._format(face, num_format="dd/mm/yyyy hh:mm")
        self.head = self._format(face, bold=True, text_wrap=True, bg_color="#EAEFF6", bottom=2)
        self.large = self._format(face, bold=True, font_size=14)
        self.total = self._format(face, bold=True, top=1, num_format="#,##0.00")

    def write(self, demand: Demand, lines: Sequence[DemandLine]) -> None:
        self._added_up(demand)
        self._lines(lines)

    def _added_up(self, demand: Demand) -> None:
        sheet = self._sheet(N_("Added up"), ADDED_UP)
        row = HEAD_ROW
        for group in demand.groups:
            for product in group.products:
                row += 1
                for column, words in enumerate((self._name(group.group), product.name, product.unit)):
                    self._text(sheet, row, column, words)
                amounts = [product.to(place) for place in PLACES]
                amounts += [product.total_milli, product.packed_milli, product.to_gather_milli, product.weight_g]
                for column, milli in enumerate(amounts, start=3):
                    self._thousandths(sheet, row, column, milli)
                sheet.write_number(row, 10, product.satang / 100, self.baht)
        self._total(sheet, row, len(ADDED_UP), {9: demand.weight_g / 1000, 10: demand.satang / 100})

    def _lines(self, lines: Sequence[DemandLine]) -> None:
        sheet = self._sheet(N_("Order lines"), LINES)
        row = HEAD_ROW
        for row, line in enumerate(lines, start=HEAD_ROW + 1):
            self._text(sheet, row, 0, Bilingual(line.order_number))
            sheet.write_datetime(row, 1, line.placed_at.astimezone(BANGKOK).replace(tzinfo=None), self.moment)
            for column, words in enumerate((line.group, line.name, line.unit), start=2):
                self._text(sheet, row, column, words)
            self._thousandths(sheet, row, 5, line.quantity_milli)
            sheet.write_string(row, 6, translate(self.lang, NAMES[line.delivery]), self.text)
            packed = translate(self.lang, N_("yes")) if line.is_packed else ""
            sheet.write_string(row, 7, packed, self.text)
            sheet.write_number(row, 8, line.satang / 100, self.baht)
        self._total(sheet, row, len(LINES), {8: sum(line.satang for line in lines) / 100})

    def _sheet(self, name: str, columns: Sequence[tuple[str, int]]) -> Worksheet:
        sheet = self.book.add_worksheet(translate(self.lang, name))
        sheet.write_string(0, 0, self.title, self.large)
        sheet.write_string(1, 0, self.days)
        for column, (words, width) in enumerate(columns):
            sheet.set_column(column, column, width)
            sheet.write_string(HEAD_ROW, column, translate(self.lang, words), self.head)
        sheet.freeze_panes(HEAD_ROW + 1, 0)
        sheet.repeat_rows(HEAD_ROW)
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)
        return sheet

    def _total(self, sheet: Worksheet, last: int, width: int, sums: dict[int, float]) -> None:
        """Sum the columns of `sums` below the last row; what a formula gives is written beside it for viewers."""
        row = last + 1
        for column in range(width):
            sheet.write_blank(row, column, None, self.total)
        sheet.write_string(row, 0, translate(self.lang, N_("Total")), self.total)
        for column, value in sums.items():
            letter = chr(ord("A") + column)
            formula = f"=SUM({letter}{HEAD_ROW + 2}:{letter}{max(last, HEAD_ROW + 1) + 1})"
            sheet.write_formula(row, column, formula if last > HEAD_ROW else "=0", self.total, value)

    def _text(self, sheet: Worksheet, row: int, column: int, words: Bilingual) -> None:
        sheet.write_string(row, column, words.reading(self.lang), self.text)

    def _thousandths(self, sheet: Worksheet, row: int, column: int, milli: int) -> None:
        sheet.write_number(row, column, milli / 1000, self.part if milli % 1000 else self.whole)

    def _name(self, named: Any) -> Bilingual:
        return Bilingual(named.name_th, named.name_en)

    def _format(self, face: dict[str, Any], **more: Any) -> Format:
        return self.book.add_format(face | more)
