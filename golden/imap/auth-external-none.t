# EXTERNAL is not there without a certificate, nor are the -PLUS mechanisms without channel binding.
tls: implicit

S~ * OK [CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE LANGUAGE IDLE* AUTH=SCRAM-SHA-256 AUTH=SCRAM-SHA-1 AUTH=CRAM-MD5 AUTH=PLAIN AUTH=LOGIN] *
C: a AUTHENTICATE EXTERNAL =
S: a NO That mechanism is not supported on this connection
C: b AUTHENTICATE SCRAM-SHA-256-PLUS
S: b NO That mechanism is not supported on this connection
C: c AUTHENTICATE ANONYMOUS dHJhY2U=
S: c NO That mechanism is not supported
