# RFC 3207: STARTTLS, and what must not come through it.
tls: starttls
kind: submission
boxes: a@x.test
users: tim:secret
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
S~ 250-SIZE *
S~ 250-LIMITS *
S: 250-STARTTLS
S~ 250-BURL*
S: 250 AUTH SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5  # RFC 4954 §4: nothing in clear before TLS
C: AUTH PLAIN AHRpbQBzZWNyZXQ=
S: 538 5.7.11 That mechanism sends the password in clear; begin TLS first
C: MAIL FROM:<s@x.test>
S: 530 5.7.0 Log in first: STARTTLS, then AUTH
C: STARTTLS now
S: 501 5.5.4 STARTTLS takes no argument
C: STARTTLS
C: RSET  # in clear behind the command: injected perhaps, gone in any case (§4.2, §6)
C: AUTH PLAIN AHRpbQBzZWNyZXQ=
S: 220 2.0.0 Begin TLS, then greet again
T:
C: MAIL FROM:<s@x.test>  # §4.2: the greeting of before is forgotten
S~ 503 5.5.1 *
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
S: 250-LIMITS RCPTMAX=1000 MAILMAX=10000
S~ 250-BURL*
S: 250 AUTH SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5 PLAIN LOGIN
C: STARTTLS
S: 503 5.5.1 TLS is on already
C: AUTH PLAIN AHRpbQBzZWNyZXQ=
S: 235 2.7.0 Logged in
C: STARTTLS
S~ 503 5.5.1 *
C: MAIL FROM:<tim@example.test>
C: RCPT TO:<a@x.test>
C: DATA
S~ 250 2.1.0 *
S~ 250 2.1.5 *
S~ 354 *
C: Subject: x
C:
C: .
S~ 250 2.0.0 *
W: with ESMTPSA
W: trace is Received: from c.test ([192.0.2.7])\r\n	by mail.example.test with ESMTPSA (TLSv1.3)\r\n	id 4f1c9a7be2.1\r\n	for <a@x.test>\r\n	tls TLS13_AES_256_GCM_SHA384;\r\n	Tue, 14 Nov 2023 22:13:20 +0000\r\n
C: QUIT
S~ 221 *
E:
