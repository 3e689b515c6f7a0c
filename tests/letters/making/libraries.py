"""Letters by libraries for web services: Python, JavaScript, PHP, Ruby and Perl."""

import json
import os
from collections.abc import Iterator
from contextlib import chdir
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib
import pymupdf
from fpdf import FPDF
from fpdf.enums import EncryptionMethod
from matplotlib import pyplot
from matplotlib.font_manager import FontProperties
from xhtml2pdf import pisa

from tests.letters.making.page import (
    A4,
    SANS,
    SEAL,
    SEAL_WIDTH,
    Letter,
    lines_at,
    run,
    seal,
    seal_on_white,
    seal_png,
    small_font,
)

LEFT, TOP, SIDE = A4[0] * (SEAL[0] - SEAL_WIDTH / 2), A4[1] * SEAL[1] - A4[0] * SEAL_WIDTH / 2, A4[0] * SEAL_WIDTH


def by_fpdf(*, rotate: bool = False, restricted: bool = False, pages: int = 1, **options: object) -> bytes:
    paper = FPDF(unit="pt", format="A4")
    paper.add_font("Sung", fname=small_font())
    if restricted:
        paper.set_encryption("owner", encryption_method=EncryptionMethod.AES_256, permissions=0)
    for _ in range(pages):
        paper.add_page(**options)
        for x, y, points, text in lines_at(*A4):
            paper.set_font("Sung", size=points)
            paper.text(x, y, text)
        if rotate:
            with paper.rotation(15, LEFT + SIDE / 2, TOP + SIDE / 2):
                paper.image(BytesIO(seal_png()), LEFT, TOP, SIDE)
        else:
            paper.image(BytesIO(seal_png()), LEFT, TOP, SIDE)
    return bytes(paper.output())


def by_matplotlib(font_type: int) -> bytes:
    matplotlib.rcParams["pdf.fonttype"] = font_type
    figure = pyplot.figure(figsize=(A4[0] / 72, A4[1] / 72))
    font = FontProperties(fname=small_font())
    for x, y, points, text in lines_at(*A4):
        figure.text(x / A4[0], 1 - y / A4[1], text, fontproperties=font, size=points)
    axes = figure.add_axes((LEFT / A4[0], 1 - (TOP + SIDE) / A4[1], SIDE / A4[0], SIDE / A4[1]))
    axes.imshow(seal(112))
    axes.set_axis_off()
    file = BytesIO()
    figure.savefig(file, format="pdf")
    pyplot.close(figure)
    return file.getvalue()


def by_pymupdf(*, stamped: bool = False, kept: bool = False) -> bytes:
    paper = pymupdf.open()
    page = paper.new_page(width=A4[0], height=A4[1])
    page.insert_font("sung", str(small_font()))
    for x, y, points, text in lines_at(*A4):
        page.insert_text((x, y), text, fontname="sung", fontsize=points)
    box = pymupdf.Rect(LEFT, TOP, LEFT + SIDE, TOP + SIDE)
    if stamped:
        page.add_stamp_annot(pymupdf.Rect(70, 560, 270, 640), stamp=0)
        page.add_freetext_annot(
            pymupdf.Rect(70, 660, 270, 700), "Received 2026-03-01", fontsize=14, text_color=(0.8, 0, 0)
        )
        page.add_ink_annot([[(70, 740), (100, 710), (130, 745), (170, 705), (230, 735)]])
        page.add_highlight_annot(pymupdf.Rect(70, 250, 300, 270))
        page.add_text_annot((500, 100), "a note")
    page.insert_image(box, stream=seal_png())
    return bytes(paper.tobytes(garbage=3, deflate=True))


def by_xhtml2pdf() -> bytes:
    file = BytesIO()
    # It reads nothing from outside the folder it runs in.
    with TemporaryDirectory() as folder, chdir(folder):
        Path(folder, "seal.png").write_bytes(seal_on_white())
        Path(folder, "sung.ttf").write_bytes(small_font().read_bytes())
        lines = "".join(f"<p>{text}</p>" for *_, text in lines_at(*A4))
        page = (
            f'<html><head><style>@font-face {{ font-family: Sung; src: url("sung.ttf") }} body {{ font-family: Sung }} '
            f"@page {{ size: a4; margin: 2cm; @frame s {{ -pdf-frame-content: s; left: {LEFT}pt; top: {TOP}pt; width: {SIDE + 9}pt; height: {SIDE + 9}pt }} "
            f'@frame m {{ left: 2cm; top: 2cm; width: 17cm; height: 10cm }} }}</style></head><body><div id="s"><img src="seal.png" width="{SIDE}pt" height="{SIDE}pt"></div>{lines}</body></html>'
        )
        pisa.CreatePDF(page, dest=file)
    return file.getvalue()


def node(script: str) -> bytes:
    """Needs NODE_PATH: where `npm install pdf-lib @pdf-lib/fontkit jspdf pdfkit pdfmake` put them."""
    assert os.environ["NODE_PATH"]
    with TemporaryDirectory() as folder:
        Path(folder, "seal.png").write_bytes(seal_on_white())
        known = {"font": str(small_font()), "otf": str(small_font(SANS)), "seal": f"{folder}/seal.png", "out": f"{folder}/out.pdf",
                 "lines": list(lines_at(*A4)), "at": [LEFT, TOP, SIDE], "size": A4}  # fmt: skip
        Path(folder, "make.js").write_text(f"const k = {json.dumps(known)}, fs = require('fs');\n{script}")
        run("node", f"{folder}/make.js")
        return Path(folder, "out.pdf").read_bytes()


PDF_LIB = """
const {PDFDocument, rgb, BlendMode} = require('pdf-lib');
(async () => {
  const d = await PDFDocument.create(); d.registerFontkit(require('@pdf-lib/fontkit'));
  const f = await d.embedFont(fs.readFileSync(k.font), {subset: true}), p = d.addPage(k.size);
  for (const [x, y, size, t] of k.lines) p.drawText(t, {x, y: k.size[1] - y, size, font: f});
  const i = await d.embedPng(fs.readFileSync(k.seal)), [x, y, s] = k.at;
  p.drawImage(i, {x, y: k.size[1] - y - s, width: s, height: s, blendMode: BlendMode.Multiply});
  FORM
  fs.writeFileSync(k.out, await d.save());
})();"""
PDF_LIB_FORM = """
  const form = d.getForm();
  const name = form.createTextField('company'); name.setText('示例科技有限公司');
  name.addToPage(p, {x: 70, y: 250, width: 200, height: 28, font: f}); name.updateAppearances(f);
  const agree = form.createCheckBox('agree'); agree.addToPage(p, {x: 70, y: 210, width: 24, height: 24}); agree.check();
  const b = form.createButton('seal'); b.addToPage('', p, {x: 300, y: 180, width: 90, height: 90}); b.setImage(i);
"""
JSPDF = """
const {jsPDF} = require('jspdf');
const d = new jsPDF({unit: 'pt', format: 'a4', compress: true});
d.addFileToVFS('s.ttf', fs.readFileSync(k.font).toString('base64')); d.addFont('s.ttf', 's', 'normal'); d.setFont('s');
for (const [x, y, size, t] of k.lines) { d.setFontSize(size); d.text(t, x, y); }
d.addImage(fs.readFileSync(k.seal).toString('base64'), 'PNG', ...k.at, k.at[2]);
d.autoPrint(); fs.writeFileSync(k.out, Buffer.from(d.output('arraybuffer')));"""
PDFKIT = """
const P = require('pdfkit'); const d = new P({size: k.size, margin: 0, OPTIONS}); d.pipe(fs.createWriteStream(k.out)); d.font(k.FONT);
for (const [x, y, size, t] of k.lines) d.fontSize(size).text(t, x, y - size, {lineBreak: false});
d.image(k.seal, k.at[0], k.at[1], {width: k.at[2]}); d.end();"""
PDFMAKE = """
const P = require('pdfmake/js/Printer').default, R = require('pdfmake/js/URLResolver').default, v = require('pdfmake/js/virtual-fs').default;
(async () => {
  const p = new P({s: {normal: k.font}}, v, new R(v));
  const content = k.lines.map(([x, y, fontSize, text]) => ({text, fontSize, absolutePosition: {x, y: y - fontSize}}));
  content.push({image: k.seal, width: k.at[2], absolutePosition: {x: k.at[0], y: k.at[1]}});
  const d = await p.createPdfKitDocument({pageSize: 'A4', defaultStyle: {font: 's'}, content, watermark: {text: '同意书', opacity: 0.1}});
  d.pipe(fs.createWriteStream(k.out)); d.end();
})();"""

TCPDF = """<?php
require_once 'tcpdf/tcpdf.php';
$k = json_decode(file_get_contents($argv[1]), true);
$p = new TCPDF('P', 'pt', 'A4', true, 'UTF-8', false); $p->setPrintHeader(false); $p->setPrintFooter(false); $p->SetAutoPageBreak(false);
PROTECT
$p->AddPage(); $p->SetFont('FONT');
foreach ($k['lines'] as [$x, $y, $size, $t]) { $p->SetFontSize($size); $p->Text($x, $y - $size, $t); }
$p->Image($k['seal'], $k['at'][0], $k['at'][1], $k['at'][2], $k['at'][2], 'PNG');
SIGN
$p->Output($k['out'], 'F');"""
PRAWN = """
require 'prawn'; require 'json'
k = JSON.parse(File.read(ARGV[0]))
Prawn::Document.generate(k['out'], page_size: k['size'], margin: 0) do
  font k['font']
  k['lines'].each { |x, y, s, t| draw_text t, at: [x, k['size'][1] - y], size: s }
  image k['seal'], at: [k['at'][0], k['size'][1] - k['at'][1]], width: k['at'][2]
end"""
PDF_API2 = """
use PDF::API2; use JSON::PP; local $/; open my $f, '<', $ARGV[0]; my $k = decode_json(<$f>);
my $d = PDF::API2->new(); my $p = $d->page(); $p->mediabox(@{$k->{size}}); my $font = $d->ttfont($k->{font}); my $t = $p->text();
for (@{$k->{lines}}) { my ($x, $y, $s, $l) = @$_; $t->font($font, $s); $t->translate($x, $k->{size}[1] - $y); $t->text($l); }
my $i = $d->image_png($k->{seal}); my ($x, $y, $s) = @{$k->{at}}; $p->gfx->image($i, $x, $k->{size}[1] - $y - $s, $s, $s); $d->saveas($k->{out});"""


def script(interpreter: str, text: str) -> bytes:
    with TemporaryDirectory() as folder:
        Path(folder, "seal.png").write_bytes(seal_on_white())
        known = {
            "font": str(small_font()),
            "seal": f"{folder}/seal.png",
            "out": f"{folder}/out.pdf",
            "lines": list(lines_at(*A4)),
            "at": [LEFT, TOP, SIDE],
            "size": A4,
        }
        Path(folder, "known.json").write_text(json.dumps(known))
        Path(folder, "make").write_text(text)
        run(interpreter, f"{folder}/make", f"{folder}/known.json")
        return Path(folder, "out.pdf").read_bytes()


def letters() -> Iterator[Letter]:
    yield Letter("fpdf2-plain.pdf", by_fpdf())
    yield Letter("fpdf2-seal-turned.pdf", by_fpdf(rotate=True))
    yield Letter("fpdf2-restricted.pdf", by_fpdf(restricted=True))
    yield Letter("fpdf2-two-pages.pdf", by_fpdf(pages=2, duration=3), 2, ((1, *SEAL), (2, *SEAL)))
    yield Letter("matplotlib-type-3.pdf", by_matplotlib(3))
    yield Letter("pymupdf-plain.pdf", by_pymupdf())
    yield Letter("pymupdf-annotations.pdf", by_pymupdf(stamped=True))
    yield Letter("xhtml2pdf-plain.pdf", by_xhtml2pdf(), seals=((1, 0.667, 0.58),))
    yield Letter("pdf-lib-plain.pdf", node(PDF_LIB.replace("FORM", "")))
    yield Letter("pdf-lib-filled-form.pdf", node(PDF_LIB.replace("FORM", PDF_LIB_FORM)))
    yield Letter("jspdf-auto-print.pdf", node(JSPDF))
    yield Letter("pdfkit-plain.pdf", node(PDFKIT.replace("OPTIONS", "").replace("k.FONT", "k.font")))
    yield Letter("pdfkit-cff-font.pdf", node(PDFKIT.replace("OPTIONS", "pdfVersion: '1.7'").replace("k.FONT", "k.otf")))
    yield Letter(
        "pdfkit-restricted.pdf",
        node(
            PDFKIT.replace("OPTIONS", "ownerPassword: 'owner', permissions: {}, pdfVersion: '1.7ext3'").replace(
                "k.FONT", "k.font"
            )
        ),
    )
    yield Letter("pdfmake-watermark.pdf", node(PDFMAKE))
    yield Letter(
        "tcpdf-not-embedded.pdf",
        script("php", TCPDF.replace("PROTECT", "").replace("FONT", "cid0cs").replace("SIGN", "")),
    )
    yield Letter(
        "tcpdf-restricted.pdf",
        script(
            "php",
            TCPDF.replace("PROTECT", "$p->SetProtection(['print'], '', 'owner', 2);")
            .replace("FONT", "cid0cs")
            .replace("SIGN", ""),
        ),
    )
    yield Letter("prawn-plain.pdf", script("ruby", PRAWN))
    yield Letter("perl-pdf-api2-plain.pdf", script("perl", PDF_API2))
