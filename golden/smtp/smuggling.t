# RFC 5321 §2.3.8, §4.1.1.4: only CRLF ends a line and only CRLF.CRLF the message. What goes on inside a message that
# is spoilt so is no command; at the true end it is refused.
boxes: a@x.test
limits: errors=100

S~ 220 *
C: HELO c.test
S~ 250 *
C: MAIL FROM:<s@x.test>
C: RCPT TO:<a@x.test>
C: DATA
S~ 250 2.1.0 *
S~ 250 2.1.5 *
S~ 354 *
C< Subject: x\r\n\r\nhello\n.\nMAIL FROM:<evil@x.test>\r\nRCPT TO:<a@x.test>\r\n\r\n.\r\n
S: 554 5.6.0 The message holds a CR or LF alone; lines have to end with CR LF (RFC 5321 section 2.3.8)
C: MAIL FROM:<s@x.test>
C: RCPT TO:<a@x.test>
C: DATA
S~ 250 2.1.0 *
S~ 250 2.1.5 *
S~ 354 *
C< hello\r\n.\r\r\nQUIT\r\n.\r\n
S~ 554 5.6.0 *
C: MAIL FROM:<s@x.test>
C: RCPT TO:<a@x.test>
C: DATA
S~ 250 2.1.0 *
S~ 250 2.1.5 *
S~ 354 *
C< hello\r\n.\nQUIT\r\n.\r\n
S~ 554 5.6.0 *
C: MAIL FROM:<s@x.test>
C: RCPT TO:<a@x.test>
C: DATA
S~ 250 2.1.0 *
S~ 250 2.1.5 *
S~ 354 *
C< hello\n.\r\nQUIT\r\n.\r\n
S~ 554 5.6.0 *
C: MAIL FROM:<s@x.test>
C: RCPT TO:<a@x.test>
C: DATA
S~ 250 2.1.0 *
S~ 250 2.1.5 *
S~ 354 *
C< hello\r.\rQUIT\r\n.\r\n
S~ 554 5.6.0 *
W: deliveries 0
# Commands: a bare ending takes everything up to the next CRLF with it.
C< MAIL FROM:<s@x.test>\nRCPT TO:<a@x.test>\r\n
S~ 500 5.5.2 Lines end with CR LF;*
C< NOOP\rNOOP\r\n
S~ 500 5.5.2 *
C< NOOP\n
S~ 500 5.5.2 *
C< NOOP\r\n
C: NOOP
S: 250 2.0.0 Still here
