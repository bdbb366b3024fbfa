# The sample session of RFC 1939 §10. The timestamp is this server's, so the digest is another than the RFC's (whose own
# is a test of crates/proto/sasl); all else is as printed there, with the two messages and a second log-in written out.

S: +OK POP3 server ready <fDPuI2kXUAZNA9KjvMZEiZ-S.1700000000@dewey>  # RFC 1939 §7: the timestamp is a msg-id
C: APOP mrose 255e501877bcad242136e975b584a1c3
S: +OK mrose's maildrop has 2 messages (320 octets)
C: STAT
S: +OK 2 320
C: LIST
S: +OK 2 messages (320 octets)
S: 1 120
S: 2 200
S: .
C: RETR 1
S: +OK 120 octets
S: From: mrose
S: Subject: one
S:
S: ..
S: ...dots                            # RFC 1939 §3: dots are stuffed, and not counted (§11)
S:
S~ xxxx*x
S: .
C: DELE 1
S: +OK message 1 deleted
C: RETR 2
S: +OK 200 octets
S: From: mrose
S: Subject: two
S:
S: ..
S: ...dots
S:
S~ xxxx*x
S: .
C: DELE 2
S: +OK message 2 deleted
C: QUIT
S: +OK dewey POP3 server signing off (maildrop empty)
E:
# RFC 1939 §6: the messages are gone.
S2~ +OK POP3 server ready <*>
C2: QUIT
S2: +OK dewey POP3 server signing off  # RFC 1939 §4: QUIT in AUTHORIZATION
E2:
