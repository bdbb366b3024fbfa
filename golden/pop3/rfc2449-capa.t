# RFC 2449 §5, §6: what can be announced before log-in is announced after it.
tls: starttls
login_delay: 60
expire: 30

S~ +OK POP3 server ready <*>
C: CAPA
S: +OK capability list follows
S: TOP
S: UIDL
S: PIPELINING
S: RESP-CODES
S: AUTH-RESP-CODE                     # RFC 3206 §6
S: SASL SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5  # RFC 5034 §4: no plaintext mechanism without TLS
S: LOGIN-DELAY 60
S: EXPIRE 30
S: STLS                               # RFC 2595 §4: where it is permitted
S: UTF8 USER                          # RFC 6856 §2
S: LANG
S: IMPLEMENTATION Troika
S: .
C: STLS
S: +OK begin TLS negotiation
T:
C: CAPA
S: +OK capability list follows
S: TOP
S: UIDL
S: PIPELINING
S: RESP-CODES
S: AUTH-RESP-CODE
S: USER
S: SASL SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5 PLAIN LOGIN
S: LOGIN-DELAY 60
S: EXPIRE 30
S: UTF8 USER
S: LANG
S: IMPLEMENTATION Troika
S: .
C: USER mrose
C: PASS tanstaaf
S: +OK now PASS
S: +OK mrose's maildrop has 2 messages (320 octets)
C: CAPA
S: +OK capability list follows
S: TOP
S: UIDL
S: PIPELINING
S: RESP-CODES
S: AUTH-RESP-CODE
S: USER
S: SASL SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5 PLAIN LOGIN
S: LOGIN-DELAY 60
S: EXPIRE 30
S: UTF8 USER
S: LANG
S: IMPLEMENTATION Troika
S: .
C: QUIT
S: +OK dewey POP3 server signing off (2 messages left)
E:
