"""A program of its own: who signed a PDF electronically, and whether somebody who is trusted vouches for them.

    confinement.py verification.py ROOTS        a PEM file, or a folder of them

The PDF comes from standard input; out comes one line of JSON (`check`, a `SignatureCheck`, and `signers`). It imports
nothing of this project, and asks nobody about certificates that were called back: it has no network.
"""

import json
import logging
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

from pyhanko.keys import load_certs_from_pemder
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext


def verified(data: bytes, roots: Path) -> dict[str, Any]:
    """Of several signatures the worst counts."""
    files = [str(file) for file in (sorted(roots.iterdir()) if roots.is_dir() else [roots])]
    trusted = list(load_certs_from_pemder(files))  # type: ignore[no-untyped-call]
    signatures = PdfFileReader(BytesIO(data), strict=False).embedded_regular_signatures
    found = [
        validate_pdf_signature(signature, ValidationContext(trust_roots=trusted, allow_fetching=False))
        for signature in signatures
    ]
    signers = [name_of(status.signing_cert) for status in found]
    if not found or not all(status.intact and status.valid and status.docmdp_ok for status in found):
        return {"check": "INVALID" if found else "NOT_VERIFIED", "signers": signers}
    return {"check": "VALID" if all(status.bottom_line for status in found) else "NOT_VERIFIED", "signers": signers}


def name_of(certificate: Any) -> str:
    """Whom a certificate was made out to: a company, or a person."""
    parts = certificate.subject.native
    return str(parts.get("common_name") or parts.get("organization_name") or certificate.subject.human_friendly)


def main() -> None:
    logging.disable()
    print(json.dumps(verified(sys.stdin.buffer.read(), Path(sys.argv[1]))))  # noqa: T201 - its answer


if __name__ == "__main__":
    main()
