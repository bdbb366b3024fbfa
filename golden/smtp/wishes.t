# MT-PRIORITY (RFC 6710), DELIVERBY (2852), REQUIRETLS (8689) and FUTURERELEASE (4865) where they are offered.
boxes: a@x.test
kind: submission
users: tim:secret
plaintext_auth: yes
limits: errors=100
offers: mt-priority deliverby requiretls futurerelease

S~ 220 *
C: EHLO c.test
S~ 250-*
S: 250-PIPELINING
S: 250-8BITMIME
S: 250-SMTPUTF8
S: 250-ENHANCEDSTATUSCODES
S: 250-DSN
S: 250-CHUNKING
S: 250-BINARYMIME
S: 250-HELP
S~ 250-SIZE *
S~ 250-LIMITS *
S: 250-BURL
S: 250-MT-PRIORITY
S: 250-DELIVERBY
S: 250-FUTURERELEASE 3600 2023-11-14T23:13:20Z
S~ 250 AUTH *
C: AUTH PLAIN AHRpbQBzZWNyZXQ=
S~ 235 *
C: MAIL FROM:<s@x.test> MT-PRIORITY=10  # RFC 6710 §4.1 (1)
S: 501 5.5.2 MT-PRIORITY takes a number from -9 to 9
C: MAIL FROM:<s@x.test> BY=0;R  # RFC 2852 §4
S~ 501 5.5.4 BY takes *
C: MAIL FROM:<s@x.test> REQUIRETLS  # RFC 8689 §2: within TLS
S~ 530 5.7.10 *
C: MAIL FROM:<s@x.test> HOLDFOR=3601  # RFC 4865 §4.2 (7)
S~ 501 5.5.4 The message may not be held so long; *
C: MAIL FROM:<s@x.test> HOLDFOR=10 HOLDUNTIL=2026-11-21T12:22:01Z  # §4.2 (9)
S: 501 5.5.4 HOLDFOR and HOLDUNTIL exclude each other
C: MAIL FROM:<s@x.test> HOLDFOR=100 BY=99;N  # §5.2.2
S~ 501 5.5.4 The message would be released *
C: MAIL FROM:<s@x.test> BY=120;RT MT-PRIORITY=3 HOLDFOR=60
S~ 250 2.1.0 *
C: RCPT TO:<a@x.test>
S~ 250 *
C: DATA
S~ 354 *
C< X: y\r\n\r\nz\r\n.\r\n
S~ 250 *
W: wishes priority 3, released after 60, by 120 return trace
W: trace has priority 3
C: MAIL FROM:<s@x.test> MT-PRIORITY=-4
S~ 250 2.1.0 *
