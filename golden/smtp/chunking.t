# RFC 3030: CHUNKING and BINARYMIME.
boxes: a@x.test
limits: message=100 discard=300 errors=100

S~ 220 *
C: EHLO c.test
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250-*
S: 250-CHUNKING
S: 250-BINARYMIME
S~ 250-*
S~ 250-*
S~ 250-*
S~ 250 *
# Two chunks; a line end may be cut in two; dots are nothing special.
C: MAIL FROM:<s@x.test>
C: RCPT TO:<a@x.test>
C< BDAT 5\r\nA: 1\r
C< BDAT 8 LAST\r\n\n\r\n.\r\n..
S~ 250 2.1.0 *
S~ 250 2.1.5 *
S: 250 2.0.0 5 octets noted
S: 250 2.0.0 Message taken, id 4f1c9a7be2.1
# The last line end may be missing with BDAT; stored text has it.
W: message is A: 1\r\n\r\n.\r\n..\r\n
# A last chunk may be empty (§2).
C: MAIL FROM:<s@x.test>
C: RCPT TO:<a@x.test>
C< BDAT 4\r\nX:\r\n
C: BDAT 0 LAST
S~ 250 2.1.0 *
S~ 250 2.1.5 *
S: 250 2.0.0 4 octets noted
S~ 250 2.0.0 Message taken*
# A chunk that does not hold whole lines in the end, and one with a bare LF, spoil the message (§2).
C: MAIL FROM:<s@x.test>
C: RCPT TO:<a@x.test>
C< BDAT 5 LAST\r\nA: 1\r
C: MAIL FROM:<s@x.test>
C: RCPT TO:<a@x.test>
C< BDAT 3\r\nA\nB
C< BDAT 4 LAST\r\nC\r\nD
C: MAIL FROM:<s@x.test>
S~ 250 2.1.0 *
S~ 250 2.1.5 *
S~ 554 5.6.0 The message holds a CR or LF alone;*
S~ 250 2.1.0 *
S~ 250 2.1.5 *
S~ 554 5.6.0 *
S: 503 5.5.1 The message has failed already; RSET drops it
S~ 250 2.1.0 *
C: RSET
S~ 250 *
# No BDAT behind the last one; its octets are not commands.
C< BDAT 6 LAST\r\nNOOP\r\n
S: 503 5.5.1 MAIL and RCPT have to come before BDAT or BURL
# DATA and BDAT do not mix (§2), nor do DATA and BINARYMIME (§3).
C: MAIL FROM:<s@x.test>
C: RCPT TO:<a@x.test>
C< BDAT 2\r\n\r\n
C: DATA
C: RCPT TO:<a@x.test>
C: RSET
C: MAIL FROM:<s@x.test> BODY=BINARYMIME
C: RCPT TO:<a@x.test>
C: DATA
S~ 250 2.1.0 *
S~ 250 2.1.5 *
S: 250 2.0.0 2 octets noted
S: 503 5.5.1 The message is being sent with BDAT; go on with that, or RSET
S: 503 5.5.1 The message has begun; recipients come before it
S: 250 2.0.0 Reset
S~ 250 2.1.0 *
S~ 250 2.1.5 *
S: 503 5.5.1 BINARYMIME can be sent with BDAT only
C< BDAT 10 LAST\r\nA: 1\r\n\r\n\nx
S~ 250 2.0.0 *
# Binary content is taken as it is: no line end is added.
W: message is A: 1\r\n\r\n\nx
C: RSET
S~ 250 *
# Failed recipients: the octets that were pipelined are dropped (§2).
C: MAIL FROM:<s@x.test>
C: RCPT TO:<nobody@x.test>
C< BDAT 6\r\nQUIT\r\n
C< BDAT 6 LAST\r\nQUIT\r\n
S~ 250 2.1.0 *
S~ 550 5.1.1 *
S~ 554 5.5.1 *
S~ 503 5.5.1 *
# The limit is on all chunks together.
C: MAIL FROM:<s@x.test>
C: RCPT TO:<a@x.test>
C< BDAT 60\r\n\{60:x}
C< BDAT 41 LAST\r\n\{41:x}
S~ 250 2.1.0 *
S~ 250 2.1.5 *
S: 250 2.0.0 60 octets noted
S: 552 5.3.4 The message is too large; at most 100 octets are taken
# A chunk that is too large to be even dropped, and one whose size can't be read, end the connection: what follows
# must never be read as commands.
C: MAIL FROM:<s@x.test>
C: RCPT TO:<a@x.test>
C< BDAT 301 LAST\r\nQUIT\r\n
S~ 250 2.1.0 *
S~ 250 2.1.5 *
S: 552 5.3.4 The message is too large; at most 100 octets are taken
S: 421 4.3.4 mail.example.test That much is not even read; closing
E:
S2~ 220 *
C2: EHLO c.test
S2~ 250-*
S2~ 250-*
S2~ 250-*
S2~ 250-*
S2~ 250-*
S2~ 250-*
S2~ 250-*
S2~ 250-*
S2~ 250-*
S2~ 250-*
S2~ 250-*
S2~ 250 *
C2: BDAT 0x10
C2: QUIT
S2: 501 5.5.4 The syntax is BDAT octets, or BDAT octets LAST
S2: 421 4.5.0 mail.example.test What follows BDAT can't be told from commands; closing
E2:
