// What plain HTML cannot do. Everything works without it, but for what moves by itself.
"use strict";
