# RFC 5321 §3.8, §4.2.3: the server goes down. A message in hand is taken first.
boxes: a@x.test

S~ 220 *
C: HELO c.test
S~ 250 *
C: MAIL FROM:<s@x.test>
C: RCPT TO:<a@x.test>
C: DATA
S~ 250 *
S~ 250 *
S~ 354 *
C: A: 1
D:
C: B: 2
C: .
S~ 250 2.0.0 *
S: 421 4.3.2 mail.example.test The server goes down for a while; try again later
E:

S2~ 220 *
D2:
S2~ 421 4.3.2 *
E2:

S3~ 220 *
C3: EHLO c.test
S3~ 250-*
S3~ 250-*
S3~ 250-*
S3~ 250-*
S3~ 250-*
S3~ 250-*
S3~ 250-*
S3~ 250-*
S3~ 250-*
S3~ 250-*
S3~ 250-*
S3~ 250 *
C3: MAIL FROM:<s@x.test>
C3: RCPT TO:<a@x.test>
C3< BDAT 3\r\nA: 
S3~ 250 *
S3~ 250 *
S3~ 250 *
D3:
C3< BDAT 3 LAST\r\n1\r\n
S3~ 250 2.0.0 *
S3~ 421 4.3.2 *
E3:
