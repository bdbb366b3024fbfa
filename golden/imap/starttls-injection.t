# RFC 9051 §6.2.1: what came in clear behind STARTTLS is gone, whole commands and halves of them.
tls: starttls

S: * OK [CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE LANGUAGE IDLE STARTTLS LOGINDISABLED AUTH=SCRAM-SHA-256 AUTH=SCRAM-SHA-1 AUTH=CRAM-MD5] mail.example.test ready
C: a STARTTLS
C: b LOGIN joe secret
C< c LOGIN joe
S: a OK Begin TLS negotiation now
T:
C: d CAPABILITY
S: * CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE LANGUAGE IDLE AUTH=SCRAM-SHA-256 AUTH=SCRAM-SHA-1 AUTH=CRAM-MD5 AUTH=PLAIN AUTH=LOGIN
S: d OK CAPABILITY completed
C: e STARTTLS
S: e BAD TLS is already active
C: f STARTTLS now
S: f BAD expected the end of the command at column 11: " now"
