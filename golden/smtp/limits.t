# RFC 9422: LIMITS; RFC 5321 §4.5.3.1: what is too long, too many, too often.
boxes: a@x.test
limits: recipients=2 mails=3 errors=5 refused=2

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
S: 250-LIMITS RCPTMAX=2 MAILMAX=3
S~ 250 *
C< NOOP \{505:x}\r\n
S: 250 2.0.0 Still here
C< NOOP \{3000:x}\r\n
S: 500 5.5.2 The command is too long; it was ignored
C: MAIL FROM:<s@x.test>
C: RCPT TO:<a@x.test>
C: RCPT TO:<a@x.test>
C: RCPT TO:<a@x.test>
S~ 250 *
S~ 250 *
S~ 250 *
S: 452 4.5.3 Too many recipients for one message; send it again for the rest
C: RSET
C: MAIL FROM:<s@x.test>
C: RSET
C: MAIL FROM:<s@x.test>
C: RSET
C: MAIL FROM:<s@x.test>
S~ 250 *
S~ 250 *
S~ 250 *
S~ 250 *
S~ 250 *
S: 421 4.5.3 mail.example.test Too many messages in one session; connect again for more
E:

# Errors.
S2~ 220 *
C2: FOO
C2: FOO
C2: FOO
C2: FOO
C2: FOO
C2: NOOP
S2~ 500 5.5.1 *
S2~ 500 5.5.1 *
S2~ 500 5.5.1 *
S2~ 500 5.5.1 *
S2~ 500 5.5.1 *
S2: 421 4.7.0 mail.example.test Too many errors; look up what was refused and come back
E2:

# Guessing of recipients.
S3~ 220 *
C3: HELO c.test
C3: MAIL FROM:<s@x.test>
C3: RCPT TO:<nobody@x.test>
C3: RCPT TO:<nobody@x.test>
S3~ 250 *
S3~ 250 *
S3~ 550 *
S3~ 550 *
S3~ 421 4.7.0 *
E3:

# §4.5.3.2: silence.
S4~ 220 *
L4:
S4: 421 4.4.2 mail.example.test Nothing came for too long; closing
E4:

# A line that does not end: told at once, and given up after a MiB.
S5~ 220 *
C5< NOOP \{1000000:x}
S5~ 500 5.5.2 *
C5< \{100000:x}
S5: 421 4.5.2 mail.example.test The line does not end; closing
E5:
