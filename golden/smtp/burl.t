# BURL (RFC 4468).
kind: submission
tls: implicit
hostname: owlry.example.test
boxes: ron@gryffindor.test
users: harry:accio
limits: errors=100 message=100
urls: imap://harry@owlry.example.test/outbox/;uid=25=>Message-ID:\_<1@x>\r\nDate:\_x\r\nFrom:\_<a@b>\r\n\r\nhi\r\n imap://x/part=>part imap://x/cr=>line\r imap://x/lf=>\nline\r\n imap://x/nul=>a\0b\r\n imap://x/big=>01234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789

S~ 220 *
C: EHLO potter.example.test  # §3.1: without arguments before the log-in
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
S: 250-BURL
S~ 250 AUTH *
C: BURL imap://x/part LAST
S: 530 5.7.0 Log in first, with AUTH
C: AUTH PLAIN AGhhcnJ5AGFjY2lv
S~ 235 *
C: EHLO potter.example.test  # §3.3
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
S: 250-BURL imap imap://owlry.example.test
S~ 250 AUTH *
C: BURL imap://x/part LAST
S: 503 5.5.1 MAIL and RCPT have to come before BDAT or BURL
C: MAIL FROM:<harry@example.test>  # §3.4, pipelined
C: RCPT TO:<ron@gryffindor.test>
C: BURL imap://harry@owlry.example.test/outbox/;uid=25 LAST
S~ 250 *
S~ 250 *
S~ 250 2.0.0 Message taken, *
W: message is Message-ID: <1@x>\r\nDate: x\r\nFrom: <a@b>\r\n\r\nhi\r\n
C: MAIL FROM:<harry@example.test>  # §3.4: nobody to send it to
C: RCPT TO:<malfoy@slytherin.test>
C: BURL imap://harry@owlry.example.test/outbox/;uid=25 LAST
S~ 250 *
S~ 550 *
S~ 554 5.5.1 *
C: RSET
S~ 250 *
C: MAIL FROM:<harry@example.test>  # §3.2: BDAT and BURL take turns
C: RCPT TO:<ron@gryffindor.test>
S~ 250 *
S~ 250 *
C< BDAT 35\r\nMessage-ID: <2@x>\r\nDate: x\r\nFrom: x
S: 250 2.0.0 35 octets noted
C: BURL imap://x/part
S: 250 2.0.0 4 octets noted
C: DATA  # RFC 3030 §2
S~ 503 *
C< BDAT 8\r\n@y\r\n\r\nab
S: 250 2.0.0 8 octets noted
C: BURL imap://x/part last
S~ 250 2.0.0 Message taken, *
W: message is Message-ID: <2@x>\r\nDate: x\r\nFrom: xpart@y\r\n\r\nabpart\r\n
C: MAIL FROM:<harry@example.test>  # §3.4: a URL that can't be resolved fails the transaction
C: RCPT TO:<ron@gryffindor.test>
S~ 250 *
S~ 250 *
C: BURL imap://x/nowhere
S: 554 5.7.0 IMAP URL authorization failed
C: BURL imap://x/part LAST
S~ 503 5.5.1 The message has failed already; *
C: RSET
S~ 250 *
C: MAIL FROM:<harry@example.test>
C: RCPT TO:<ron@gryffindor.test>
S~ 250 *
S~ 250 *
C: BURL imap://x/nowhere LAST
S: 554 5.7.0 IMAP URL authorization failed
C: MAIL FROM:<harry@example.test>  # §6: too big, at once and together
C: RCPT TO:<ron@gryffindor.test>
S~ 250 *
S~ 250 *
C: BURL imap://x/big LAST
S: 554 5.3.4 Message too big for system
C: MAIL FROM:<harry@example.test>
C: RCPT TO:<ron@gryffindor.test>
S~ 250 *
S~ 250 *
C: BURL imap://harry@owlry.example.test/outbox/;uid=25
C: BURL imap://harry@owlry.example.test/outbox/;uid=25
C: BURL imap://harry@owlry.example.test/outbox/;uid=25
S~ 250 *
S~ 250 *
S~ 552 5.3.4 *
C: RSET
S~ 250 *
C: MAIL FROM:<harry@example.test>  # a line end may be cut by a chunk's end, but must go on
C: RCPT TO:<ron@gryffindor.test>
S~ 250 *
S~ 250 *
C: BURL imap://x/cr
C: BURL imap://x/lf LAST
S~ 250 *
S~ 250 2.0.0 Message taken, *
C: MAIL FROM:<harry@example.test>
C: RCPT TO:<ron@gryffindor.test>
S~ 250 *
S~ 250 *
C: BURL imap://x/cr LAST
S~ 554 5.6.0 *
C: MAIL FROM:<harry@example.test>  # §6
C: RCPT TO:<ron@gryffindor.test>
S~ 250 *
S~ 250 *
C: BURL imap://x/nul LAST
S: 554 5.6.3 Conversion required but not supported: the URL names binary data
C: MAIL FROM:<harry@example.test> BODY=BINARYMIME
C: RCPT TO:<ron@gryffindor.test>
S~ 250 *
S~ 250 *
C: BURL imap://x/nul LAST
S~ 250 2.0.0 Message taken, *
C: MAIL FROM:<harry@example.test>
C: RCPT TO:<ron@gryffindor.test>
S~ 250 *
S~ 250 *
C: BURL
S~ 501 5.5.4 *
C: BURL imap://x/part FIRST
S~ 501 5.5.4 *
C: BURL imap://x/part LAST
S~ 250 2.0.0 Message taken, *
W: deliveries 5
C: HELP BURL
S~ 214*
S~ 214*
C: QUIT
S~ 221 *
E:
