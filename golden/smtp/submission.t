# RFC 6409: log-in first (§4.3); Message-ID, Date and From are added when missing (§8), Bcc is removed.
kind: submission
tls: implicit
boxes: a@x.test b@x.test
users: tim:secret
limits: errors=100

S~ 220 *
C: EHLO [IPv6:2001:db8::7]
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
S~ 250 AUTH *
C: STARTTLS
S: 503 5.5.1 TLS is on already
# RFC 4954 §6: 530 to whatever has to do with mail.
C: MAIL FROM:<tim@example.test>
S: 530 5.7.0 Log in first, with AUTH
C: RCPT TO:<a@x.test>
S~ 530 5.7.0 *
C: DATA
S~ 530 5.7.0 *
C< BDAT 6\r\nQUIT\r\n
S~ 530 5.7.0 *
C: AUTH PLAIN AHRpbQBzZWNyZXQ=
S~ 235 *
C: MAIL FROM:<tim@example.test>
C: RCPT TO:<a@x.test>
C: DATA
S~ 250 *
S~ 250 *
S~ 354 *
C: Bcc: b@x.test,
C:  c@x.test
C: Subject: x
C:
C: Bcc: this is text
C: .
S~ 250 2.0.0 *
W: message is Message-ID: <4f1c9a7be2.1.1700000000@mail.example.test>\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\nFrom: <tim@example.test>\r\nSubject: x\r\n\r\nBcc: this is text\r\n
C: MAIL FROM:<tim@example.test>
C: RCPT TO:<a@x.test>
C: DATA
S~ 250 *
S~ 250 *
S~ 354 *
C: From: me
C: Date: today
C: message-id: <1@x>
C:
C: .
S~ 250 2.0.0 *
W: message is From: me\r\nDate: today\r\nmessage-id: <1@x>\r\n\r\n
C: QUIT
S~ 221 *
E:

# A stranger can't have much swallowed.
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
S2: 250-BURL
S2~ 250 *
C2: BDAT 33554432 LAST
S2: 530 5.7.0 Log in first, with AUTH
S2~ 421 4.3.4 *
E2:
