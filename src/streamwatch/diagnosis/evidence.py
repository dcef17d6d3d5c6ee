"""The pack that shows a client what it sent: plots, counts, records to look up, a message.

It leaves the company. So no figure in it rests on fewer than `LEAST_GROUP` records; of single
records it tells where they lie and the one departing value, as the client sent it; and no id
that could be an address.
"""

import hashlib
from collections.abc import Callable

from streamwatch.diagnosis.evidence_sheet import Sheet, html_of, sheet_of
from streamwatch.diagnosis.evidence_tables import days_csv, records_csv
from streamwatch.diagnosis.evidence_words import message
from streamwatch.diagnosis.pack import Pack
from streamwatch.domain.smallgroups import LEAST_GROUP


def files(pack: Pack, pdf_of: Callable[[Sheet], bytes]) -> dict[str, bytes]:
    """The files of the pack by name, their checksums last.

    Args:
        pack: what goes into it.
        pdf_of: draws the sheet.
    """
    sheet = sheet_of(pack)
    texts = {
        "evidence.html": html_of(sheet),
        "days.csv": days_csv(pack),
        "message.txt": message(pack),
        **{figure.file: figure.svg for figure in sheet.figures},
    }
    if len(pack.bad) >= LEAST_GROUP:
        texts["records.csv"] = records_csv(pack)
    found = {file: text.encode() for file, text in texts.items()}
    found["evidence.pdf"] = pdf_of(sheet)
    sums = [f"{hashlib.sha256(found[file]).hexdigest()}  {file}\n" for file in sorted(found)]
    return {**found, "SHA256SUMS": "".join(sums).encode()}
