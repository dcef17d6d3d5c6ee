"""The evidence pack's sheet as a PDF, to be read and sent where no browser is."""

import io
import logging
from datetime import UTC, datetime

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from streamwatch.diagnosis.evidence_sheet import CONTENT_NOTE, STAGE_NOTE, Sheet
from streamwatch.diagnosis.evidence_words import moment_words

FONT = "Helvetica"
_INK, _QUIET, _LINE = (31, 41, 51), (82, 96, 109), (228, 231, 235)
_WIDTHS = (42.0, 34.0, 42.0, 30.0, 32.0)
"""Columns of the stage table, in millimetres."""


def pdf_of(sheet: Sheet) -> bytes:
    """The sheet on A4; the same sheet gives the same bytes.

    It uses a font that every reader has, so signs beyond Latin-1 become question marks; the
    HTML page has them.
    """
    # The library notes that it passes over the plots' <title>.
    logging.getLogger("fpdf.svg").setLevel(logging.ERROR)
    pdf = FPDF(format="A4")
    pdf.set_creation_date(datetime.fromtimestamp(sheet.made_at / 1000, UTC))
    pdf.set_title(_latin(sheet.title))
    pdf.set_margin(15)
    pdf.set_auto_page_break(True, 15)  # the library takes it by place
    pdf.add_page()
    _paragraph(pdf, sheet.title, size=18, style="B")
    _paragraph(pdf, sheet.subtitle, size=9, colour=_QUIET)
    pdf.ln(2)
    for fact in sheet.facts:
        _paragraph(pdf, f"- {fact}")
    for figure in sheet.figures:
        pdf.ln(4)
        pdf.image(io.BytesIO(figure.svg.encode()), w=pdf.epw)
        _paragraph(pdf, figure.caption, size=9, colour=_QUIET)
    pdf.ln(4)
    _paragraph(pdf, "Where it came in", size=13, style="B")
    _paragraph(pdf, sheet.reason)
    pdf.ln(2)
    _table(pdf, sheet)
    _paragraph(pdf, STAGE_NOTE, size=9, colour=_QUIET)
    pdf.ln(4)
    _paragraph(pdf, "In this pack", size=13, style="B")
    _paragraph(pdf, CONTENT_NOTE)
    _paragraph(pdf, f"Made on {moment_words(sheet.made_at)} UTC.", size=9, colour=_QUIET)
    return bytes(pdf.output())


def _paragraph(
    pdf: FPDF,
    text: str,
    size: int = 11,
    style: str = "",
    colour: tuple[int, int, int] = _INK,
) -> None:
    pdf.set_font(FONT, style, size)
    pdf.set_text_color(*colour)
    pdf.multi_cell(0, size * 0.5, _latin(text), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _table(pdf: FPDF, sheet: Sheet) -> None:
    pdf.set_text_color(*_INK)
    pdf.set_draw_color(*_LINE)
    for place, row in enumerate((sheet.heading, *sheet.rows)):
        pdf.set_font(FONT, "" if place else "B", 9)
        for column, (text, width) in enumerate(zip(row, _WIDTHS, strict=True)):
            align = "R" if column else "L"
            pdf.cell(width, 6, _latin(text), border="B", align=align)
        pdf.ln()
    pdf.ln(1)


def _latin(text: str) -> str:
    return text.encode("latin-1", "replace").decode("latin-1")
