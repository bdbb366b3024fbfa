# RFC 1870: SIZE, told, announced, and enforced.
boxes: a@x.test
limits: message=100 discard=300

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
S: 250-SIZE 100
S~ 250-LIMITS *
S~ 250 AUTH *
C: MAIL FROM:<s@x.test> SIZE=101  # §6.1
S: 552 5.3.4 The message is too large; at most 100 octets are taken
C: MAIL FROM:<s@x.test> SIZE=100 SIZE=100
S: 501 5.5.4 The parameter SIZE is given twice
C: MAIL FROM:<s@x.test> SIZE=ten
S: 501 5.5.4 SIZE takes 1 to 20 digits
C: MAIL FROM:<s@x.test> SIZE=100
S~ 250 *
C: RCPT TO:<a@x.test>
S~ 250 *
C: DATA
S~ 354 *
C< ..\{96:x}\r\n\r\n.\r\n
S: 552 5.3.4 The message is too large; at most 100 octets are taken
C: MAIL FROM:<s@x.test> SIZE=1
C: RCPT TO:<a@x.test>
C: DATA
S~ 250 *
S~ 250 *
S~ 354 *
# §6.3: what was announced is no promise; 100 octets without the stuffed dot.
C< X: \{93:x}\r\n..\r\n.\r\n
S~ 552 *
C: MAIL FROM:<s@x.test>
C: RCPT TO:<a@x.test>
C: DATA
S~ 250 *
S~ 250 *
S~ 354 *
C< X: \{92:x}\r\n..\r\n.\r\n
S~ 250 2.0.0 *
C: MAIL FROM:<s@x.test>
C: RCPT TO:<a@x.test>
C: DATA
S~ 250 *
S~ 250 *
S~ 354 *
C< \{301:x}
S: 552 5.3.4 The message is too large; at most 100 octets are taken
S: 421 4.3.4 mail.example.test The message does not end; closing
E:
