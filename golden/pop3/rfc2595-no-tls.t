tls: none

S~ +OK POP3 server ready <*>
C: STLS
S: -ERR no TLS here
C: AUTH
S: +OK mechanisms follow
S: SCRAM-SHA-256
S: SCRAM-SHA-1
S: CRAM-MD5
S: .
C: QUIT
S: +OK dewey POP3 server signing off
E:
