# RFC 1985: ETRN.
offers: etrn
waiting: x.test=14 y.test=0 a.x.test=2

S~ 220 *
C: ETRN x.test
S: 503 5.5.1 Greet first, with EHLO (LHLO for LMTP)
C: EHLO c.test
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-SIZE *
S~ 250-LIMITS *
S: 250-ETRN
S~ 250 AUTH *
C: ETRN
S: 501 5.5.4 The syntax is ETRN domain, or ETRN @domain
C: ETRN localname
S~ 501 5.5.4 *
C: ETRN #uucp
S~ 501 5.5.4 *
C: ETRN uu.net
S: 459 4.7.1 Mail for that domain does not wait here for you
C: ETRN X.Test
S: 253 2.0.0 14 messages wait for x.test and are tried now
C: etrn @x.test
S: 253 2.0.0 16 messages wait for x.test and are tried now
C: ETRN y.test
S: 251 2.0.0 No messages wait for y.test
C: MAIL FROM:<>
S~ 250 *
C: ETRN x.test  # §5: not within a transaction
S~ 503 5.5.1 *
