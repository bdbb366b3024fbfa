# RFC 2449 §6.6: commands that come together are answered in order.
tls: implicit
apop: no

S: +OK POP3 server ready
C: CAPA
C: USER mrose
C: PASS tanstaaf
C: STAT
C: TOP 2 0
C: DELE 2
C: LIST
C: BOGUS
C: QUIT
C: STAT
S: +OK capability list follows
S: TOP
S: UIDL
S: PIPELINING
S: RESP-CODES
S: AUTH-RESP-CODE
S: USER
S: SASL SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5 PLAIN LOGIN
S: EXPIRE NEVER                       # RFC 2449 §6.7
S: UTF8 USER
S: LANG
S: IMPLEMENTATION Troika
S: .
S: +OK now PASS
S: +OK mrose's maildrop has 2 messages (320 octets)
S: +OK 2 320
S: +OK top of message follows
S: From: mrose
S: Subject: two
S:
S: .
S: +OK message 2 deleted
S: +OK 1 message (120 octets)
S: 1 120
S: .
S: -ERR unknown command
S: +OK dewey POP3 server signing off (1 message left)
E:
