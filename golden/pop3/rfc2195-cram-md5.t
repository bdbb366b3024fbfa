apop: no

S: +OK POP3 server ready
C: AUTH CRAM-MD5
S: + PGRtbS1jdkg4clE2U3JkUTNkVXF2aXB3TC4xNzAwMDAwMDAwQGRld2V5Pg==  # <dmm-cvH8rQ6SrdQ3dUqvipwL.1700000000@dewey>
C: bXJvc2UgMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA=
S: -ERR [AUTH] wrong name or password
C: AUTH CRAM-MD5
S: + PGhqZkpWcEJLRzQrbFBlM3BCUWVGUVJGOS4xNzAwMDAwMDAwQGRld2V5Pg==  # another challenge each time
C: bXJvc2UgODdhZWMwYmMxODY2NDdlMDIwYjdhMGRkM2UzNjVmYWY=
S: +OK mrose's maildrop has 2 messages (320 octets)
C: QUIT
S: +OK dewey POP3 server signing off (2 messages left)
E:
