# RFC 2033: LMTP.
kind: lmtp
peer: none
boxes: pat@foo.edu jones@foo.edu green@foo.edu
at-delivery: green@foo.edu=quota
limits: errors=100

S: 220 mail.example.test LMTP Troika
C: EHLO foo.edu  # §4.1: not here
S: 500 5.5.1 This is LMTP; greet with LHLO
C: HELO foo.edu
S: 500 5.5.1 This is LMTP; greet with LHLO
C: LHLO foo.edu
S: 250-mail.example.test greets foo.edu
S: 250-PIPELINING  # §5: MUST
S: 250-8BITMIME
S: 250-SMTPUTF8
S: 250-ENHANCEDSTATUSCODES  # §5: MUST
S: 250-DSN
S: 250-CHUNKING
S: 250-BINARYMIME
S: 250-HELP
S: 250-SIZE 52428800
S: 250 LIMITS RCPTMAX=1000 MAILMAX=10000
C: AUTH PLAIN AHRpbQBzZWNyZXQ=
S: 502 5.5.1 There is no log-in on this port
C: MAIL FROM:<chris@bar.com> AUTH=<>
S~ 555 5.5.4 *
C: STARTTLS
S: 502 5.5.1 TLS is not offered on this port
# The RFC's example.
C: MAIL FROM:<chris@bar.com>
C: RCPT TO:<pat@foo.edu>
C: RCPT TO:<nobody@foo.edu>
C: RCPT TO:<green@foo.edu>
C: RCPT TO:<pat@foo.edu>
C: DATA
S: 250 2.1.0 Sender <chris@bar.com> noted
S: 250 2.1.5 Recipient <pat@foo.edu> noted
S~ 550 5.1.1 *
S: 250 2.1.5 Recipient <green@foo.edu> noted
S: 250 2.1.5 Recipient <pat@foo.edu> noted
S~ 354 *
C: Blah: blah
C: .
S: 250 2.1.5 <pat@foo.edu> has it, id 4f1c9a7be2.1  # §4.2: one reply each, in order, duplicates too
S: 452 4.2.2 The mailbox <green@foo.edu> is full; try again later, its owner has to delete something
S: 250 2.1.5 <pat@foo.edu> has it, id 4f1c9a7be2.1
W: with LMTP
W: trace is Received: from foo.edu\r\n	by mail.example.test with LMTP\r\n	id 4f1c9a7be2.1;\r\n	Tue, 14 Nov 2023 22:13:20 +0000\r\n
# A message that the session refuses gets as many replies.
C: MAIL FROM:<chris@bar.com>
C: RCPT TO:<pat@foo.edu>
C: RCPT TO:<jones@foo.edu>
C: DATA
S~ 250 *
S~ 250 *
S~ 250 *
S~ 354 *
C< a\nb\r\n.\r\n
S~ 554 5.6.0 *
S~ 554 5.6.0 *
# §4.2: 503 without a recipient; §4.3: BDAT LAST gets no reply at all then.
C: MAIL FROM:<chris@bar.com>
C: RCPT TO:<nobody@foo.edu>
C: DATA
C< BDAT 3 LAST\r\nabc
C: NOOP
S~ 250 *
S~ 550 *
S: 503 5.5.1 No recipient was accepted; RCPT has to come before
S: 250 2.0.0 Still here
C: RSET
S~ 250 *
C: MAIL FROM:<chris@bar.com>
C: RCPT TO:<pat@foo.edu>
C: RCPT TO:<jones@foo.edu>
C< BDAT 6\r\nA: 1\r\n
C< BDAT 0 LAST\r\n
S~ 250 *
S~ 250 *
S~ 250 *
S: 250 2.0.0 6 octets noted  # §4.3: one reply to a chunk that is not the last
S: 250 2.1.5 <pat@foo.edu> has it, id 4f1c9a7be2.3
S: 250 2.1.5 <jones@foo.edu> has it, id 4f1c9a7be2.3
C: QUIT
S~ 221 *
E:
