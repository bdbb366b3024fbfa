# RFC 2645: ATRN.
kind: submission
offers: atrn
tls: implicit
users: tim:secret
waiting: x.test=2 y.test=0
limits: errors=100

S~ 220 *
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
S~ 250-*
S~ 250-*
S~ 250-BURL*
S: 250-ATRN
S~ 250 AUTH *
C: ATRN x.test  # §5.2.1: 530 without a log-in
S: 530 5.7.0 Log in first, with AUTH
C: AUTH PLAIN AHRpbQBzZWNyZXQ=
S~ 235 *
C: ATRN x.test,
S: 501 5.5.4 The syntax is ATRN, or ATRN domain,domain
C: ATRN localname
S~ 501 5.5.4 *
C: ATRN x.test,z.test  # §5.2.1: not all of them are his, so none
S: 450 4.7.1 Not all of these domains are yours
C: ATRN y.test
S: 453 4.0.0 You have no mail
C: MAIL FROM:<tim@example.test>
S~ 250 *
C: ATRN x.test
S~ 503 5.5.1 *
C: RSET
S~ 250 *
C: atrn X.test,y.test
S: 250 2.0.0 Now reversing the connection; greet as a server
E:
