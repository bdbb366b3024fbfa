# EXTERNAL (RFC 4422, appendix A) with the addresses of a client certificate.
tls: implicit
certificate: anna@example.test sales@example.test

S~ * OK [CAPABILITY * AUTH=EXTERNAL AUTH=SCRAM-SHA-256 *] *
C: a AUTHENTICATE EXTERNAL YmVuQGV4YW1wbGUudGVzdA==  # whom the certificate does not name
S: a NO [AUTHORIZATIONFAILED] This account may not use IMAP
C: b AUTHENTICATE EXTERNAL c2FsZXNAZXhhbXBsZS50ZXN0
S~ b OK [CAPABILITY *] AUTHENTICATE completed
C: c UNAUTHENTICATE
S~ c OK [CAPABILITY * AUTH=EXTERNAL *] UNAUTHENTICATE completed
C: d AUTHENTICATE EXTERNAL
S: + 
C<  \r\n
S: d BAD That is not base64
C: e AUTHENTICATE EXTERNAL =  # RFC 4422, appendix A.2: empty, whom the certificate names
S~ e OK [CAPABILITY *] AUTHENTICATE completed
