# COMPRESS=DEFLATE (RFC 4978); Z marks where compression begins and ends, the text is written plain.
tls: starttls

S~ * OK [CAPABILITY *] *
C: a COMPRESS DEFLATE  # only after the log-in
S: a BAD COMPRESS needs a log-in first
C: b STARTTLS
S: b OK Begin TLS negotiation now
T:
C: c LOGIN joe secret
S~ c OK [CAPABILITY * COMPRESS=DEFLATE*] *
C: d COMPRESS LZW  # §3: BAD for an unknown argument
S: d BAD DEFLATE is the only algorithm
C: d COMPRESS deflate
S: d OK DEFLATE active
Z:
C: e COMPRESS DEFLATE  # §3: BAD when it is active already
S: e BAD [COMPRESSIONACTIVE] DEFLATE is active already
C: f NOOP
C: g UNAUTHENTICATE  # RFC 8437 §2: compression ends behind the reply
S: f OK NOOP completed
S~ g OK [CAPABILITY *] UNAUTHENTICATE completed
Z:
C: h LOGIN joe secret
C: i COMPRESS DEFLATE  # it may begin again
C: j LOGOUT
S~ h OK [CAPABILITY *] *
S: i OK DEFLATE active
Z:
S: * BYE Logging out
S: j OK LOGOUT completed
E:
